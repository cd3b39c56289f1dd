//! What a person can do, on real stations with simulated machines.

use std::{net::TcpListener, path::Path};

use serde_json::json;

use super::browser::Browser;
use crate::support::{Station, eventually};

pub(super) fn sample() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static/samples/rosette.gcode"))
}

/// Opens a view and waits until it shows what is so.
#[track_caller]
pub(super) fn page(browser: &Browser, station: &Station, view: &str) {
    browser.goto(&format!("http://localhost:{}/#/{view}", station.address().port()));
    browser.live();
}

/// How many pixels of the picture have the colour of what is drawn; read from a copy, because a
/// canvas that is read itself would be drawn in another way from then on.
const DRAWN: &str = "(() => {
    const canvas = document.querySelector('canvas.toolpath');
    if (!canvas?.width) return 0;
    const style = getComputedStyle(canvas).getPropertyValue('--active').trim();
    const wanted = [1, 3, 5].map((at) => parseInt(style.slice(at, at + 2), 16));
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] > 200 && wanted.every((part, k) => Math.abs(data[at + k] - part) < 24)) count += 1;
    }
    return count;
})()";

#[test]
fn a_chosen_file_is_seen_to_run_to_its_end() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "12").start();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    assert_eq!(browser.text("#sentence"), "All well. Nothing is running or waiting.");
    browser.choose("#file-input", sample());
    let line = "#queue li[data-state=RUNNING]";
    assert_eq!(browser.text(&format!("{line} .job-name")), "rosette.gcode");
    let bar = "Number(document.querySelector('.machine .bar')?.getAttribute('aria-valuenow'))";
    browser.until("the bar moves", &format!("{bar} > 5 && {bar} < 90"));
    let early = browser.js(&format!("return {bar}")).as_f64().unwrap();
    browser.until("the picture is being drawn", &format!("{DRAWN} > 300"));
    browser.until("the bar moves on", &format!("{bar} > {early}"));
    let left = browser.text(".machine .progress-line span:last-child .large");
    assert!(left.starts_with("0:"), "two minutes at twelve times the speed: {left} left");
    let done = "#queue li[data-state=COMPLETED] .job-name";
    assert_eq!(browser.text(done), "rosette.gcode");
    browser.click(done);
    browser.until("the job's own page", "document.querySelector('.view[data-state=COMPLETED] h1')");
    browser.until("all of it is drawn", &format!("{DRAWN} > 2000"));
    assert_eq!(browser.text(".view .bar ~ dl dd"), "sim-grbl");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_comes_back_by_itself_when_the_station_does() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut station = Station::with().simulate("grbl").port(port).start();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    browser.js("window.same = true");
    station.cli(["submit", sample().to_str().unwrap()]).exited(0);
    browser.until("it runs", "document.querySelector('#queue li[data-state=RUNNING]')");
    station.kill();
    browser.until("that is noticed", "document.body.dataset.connection === 'lost'");
    let banner = browser.text("#banner");
    assert!(banner.contains("frozen"), "{banner}");
    assert!(browser.text("#sentence").starts_with("No connection"));
    browser.complaints(); // of connections refused meanwhile
    station.again();
    browser.until("it is live again", "document.body.dataset.connection === 'live'");
    browser.until(
        "what has become of the job is shown",
        "document.querySelector('#queue li[data-state=INTERRUPTED]')",
    );
    assert!(browser.text("#sentence").starts_with("rosette.gcode was interrupted"));
    station.submit(&json!({"command": ["true"], "name": "afterwards"}));
    browser.until(
        "new events come",
        "document.querySelector('#feed').textContent.includes('afterwards')",
    );
    assert_eq!(browser.js("return window.same"), true, "without a reload");
}

#[test]
fn a_job_is_paused_resumed_and_cancelled_after_a_question_in_its_place() {
    let station = Station::with().simulate("grbl").start();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    browser.choose("#file-input", sample());
    browser.click(".machine [data-action=pause]");
    browser.until("it is paused", "document.querySelector('.machine[data-state=paused]')");
    browser.click(".machine [data-action=resume]");
    browser.until("it goes on", "document.querySelector('.machine[data-state=busy]')");
    browser.click(".machine [data-action=cancel]");
    let question = browser.text(".machine .question > span");
    assert_eq!(question, "Cancel rosette.gcode?");
    browser.click(".machine .question [data-answer=no]");
    browser.until("nothing is asked", "!document.querySelector('.machine .question')");
    assert_eq!(browser.js("return document.activeElement.dataset.action"), "cancel");
    browser.click(".machine [data-action=cancel]");
    browser.click(".machine .question [data-answer=yes]");
    browser.until("it ends", "document.querySelector('#queue li[data-state=CANCELLED]')");
    browser.until("the machine is idle", "document.querySelector('.machine[data-state=idle]')");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn an_emergency_stop_is_shown_as_confirmed_until_it_is_cleared() {
    let station = Station::with().simulate("grbl").start();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    browser.choose("#file-input", sample());
    browser.until("it runs", "document.querySelector('.machine[data-state=busy]')");
    browser.click("#stop-all");
    browser.until("it is confirmed", "document.querySelector('#stops [data-phase=confirmed]')");
    let words = browser.text("#stops .stop-words");
    assert!(words.starts_with("stopped; the machine confirmed it"), "{words}");
    let stopped = station.local().get("/api/v1/devices/sim-grbl").expect(200);
    assert_eq!(stopped["estop"]["confirmed"], true, "{stopped}");
    browser.until(
        "what runs has ended",
        "document.querySelector('#queue li[data-state=INTERRUPTED]')",
    );
    assert!(browser.text("#sentence").starts_with("Emergency stop confirmed by sim-grbl."));
    browser.click("#stops [data-action=clear-estop]");
    browser.click("#stops [data-answer=yes]");
    browser.until("it is cleared", "document.querySelector('#stops').hidden");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_stop_pressed_elsewhere_is_seen_and_one_on_a_phone_is_held() {
    let station = Station::with().simulate("grbl").start();
    let browser = Browser::open();
    browser.size(390, 844);
    page(&browser, &station, "jobs");
    station.local().post("/api/v1/devices/sim-grbl/estop", &json!({})).expect(200);
    browser.until("it is seen", "document.querySelector('#stops [data-phase=confirmed]')");
    station.local().post("/api/v1/devices/sim-grbl/estop", &json!({"clear": true})).expect(200);
    browser.until("that it is cleared, too", "document.querySelector('#stops').hidden");

    let place = browser
        .js("const box = document.getElementById('stop-all').getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]");
    let touch = |kind: &str, points: serde_json::Value| {
        browser.devtools("Input.dispatchTouchEvent", &json!({"type": kind, "touchPoints": points}));
    };
    let finger = json!([{"x": place[0], "y": place[1]}]);
    touch("touchStart", finger.clone());
    touch("touchEnd", json!([]));
    browser.until("a brush only hints", "document.querySelector('#stop-all.hinting')");
    assert!(station.local().get("/api/v1/devices/sim-grbl").expect(200)["estop"].is_null());
    touch("touchStart", finger);
    eventually("the stop arrives", || {
        let device = station.local().get("/api/v1/devices/sim-grbl").expect(200);
        (device["estop"]["confirmed"] == true).then_some(())
    });
    touch("touchEnd", json!([]));
    browser.until("it is shown", "document.querySelector('#stops [data-phase=confirmed]')");
}
