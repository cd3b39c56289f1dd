//! The view of machines: moved by hand, listened to.

use serde_json::{Value, json};

use super::{browser::Browser, works::page};
use crate::support::{Station, eventually};

fn position(station: &Station) -> Value {
    station.local().get("/api/v1/devices/sim-grbl").expect(200)["position"].clone()
}

#[track_caller]
fn until_at(station: &Station, x: f64, y: f64, z: f64) {
    let wanted = json!({"x": x, "y": y, "z": z});
    eventually(&format!("the tool is at {wanted}"), || (position(station) == wanted).then_some(()));
}

/// Opens a part of the card that is closed at first.
fn unfold(browser: &Browser, part: &str) {
    browser.click(&format!(".machine .{part} > summary"));
    browser.until("it is open", &format!("document.querySelector('.machine .{part}').open"));
}

#[test]
fn a_machine_is_moved_by_hand_with_buttons_and_keys_while_no_job_is_on_it() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "20").start();
    let browser = Browser::open();
    page(&browser, &station, "machines");
    unfold(&browser, "jog");
    browser.click(".jog [value='10']");
    browser.click("[data-jog='x+']");
    until_at(&station, 10.0, 0.0, 0.0);
    browser.click(".jog [value='1']");
    browser.js("document.querySelector('.jog-pad').focus()");
    for (key, [x, y, z]) in [
        ("ArrowUp", [10.0, 1.0, 0.0]),
        ("ArrowLeft", [9.0, 1.0, 0.0]),
        ("PageUp", [9.0, 1.0, 1.0]),
        ("ArrowDown", [9.0, 0.0, 1.0]),
    ] {
        browser.press(key, false);
        until_at(&station, x, y, z);
    }
    // A far one, at a pace at which it is stopped on the way.
    browser.js("document.querySelector('.jog [type=number]').value = '60'");
    browser.click(".jog [value='100']");
    browser.js("document.querySelector('.jog-pad').focus()");
    browser.press("ArrowRight", false);
    browser.until("it moves", "document.querySelector('.machine[data-state=busy]')");
    browser.press("Escape", false);
    browser.until("it stands", "document.querySelector('.machine[data-state=idle]')");
    let x = position(&station)["x"].as_f64().unwrap();
    assert!((9.0..109.0).contains(&x), "stopped on the way, not at {x}");

    browser.js("document.querySelector('.jog [type=number]').value = '0'");
    browser.click("[data-jog='x+']");
    browser.until(
        "a pace that is none is refused",
        "document.querySelector('.jog .refusal:not([hidden])')",
    );
    station
        .cli(["submit", concat!(env!("CARGO_MANIFEST_DIR"), "/static/samples/rosette.gcode")])
        .exited(0);
    browser.until("a job blocks it", "document.querySelector('.jog[data-blocked]')");
    browser.until("no button moves it", "document.querySelector('[data-jog=\"x+\"]').disabled");
    assert_eq!(browser.text(".jog [role=status]"), "A job is on it: it cannot be moved by hand.");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_console_shows_what_is_said_by_whomever_and_leaves_polling_out() {
    let station = Station::with().simulate("grbl").start();
    let browser = Browser::open();
    page(&browser, &station, "machines");
    unfold(&browser, "console");
    let lines = "[...document.querySelectorAll('.transcript p:not([hidden])')].map((line) => line.textContent)";
    let has = |words: &str| format!("{lines}.includes({})", json!(words));
    let send =
        |line: &str| station.local().post("/api/v1/devices/sim-grbl/send", &json!({"line": line}));
    // The channel is heard a moment after it is opened.
    eventually("what somebody else says is heard", || {
        send("G4 P0");
        (browser.js(&format!("return {}", has("G4 P0"))) == true).then_some(())
    });
    browser.js("document.querySelector('.console-line input').value = '$I'");
    browser.click(".console-line [type=submit]");
    browser.until("it is sent", &has("$I"));
    browser.until("it is answered", &format!("{lines}.some((line) => line.startsWith('[VER:'))"));
    send("G999 (<img src=x onerror=window.hit=1>)");
    browser.until("errors stand out", "document.querySelector('.transcript .bad')");
    browser.until("text stays text", &format!("{lines}.some((line) => line.includes('<img'))"));
    assert_eq!(browser.js(&format!("return {lines}.filter((line) => line === '$I').length")), 1);
    send("?");
    send("G4 P0");
    let polled = format!("{lines}.some((line) => line.startsWith('<Idle'))");
    assert_eq!(browser.js(&format!("return {polled}")), false);
    assert!(browser.js("return window.hit ?? null").is_null());
    assert_eq!(browser.complaints(), [""; 0]);
}

/// What a person is shown of each machine is what it can do.
#[test]
fn a_machine_is_shown_only_what_its_driver_can_do() {
    let station = Station::with().simulate("ebb,grbl,line").start();
    let browser = Browser::open();
    page(&browser, &station, "machines");
    let seen = |name: &str, part: &str| {
        let card = format!(".machine[data-device={name}]");
        browser.until("it is ready", &format!("document.querySelector('{card}[data-state=idle]')"));
        let script = format!(
            "const part = document.querySelector({});
            return part && part.checkVisibility() ? part.textContent : null",
            json!(format!("{card} {part}"))
        );
        browser.js(&script)
    };
    assert_eq!(seen("sim-line", "[data-action=disconnect]"), "Disconnect");
    for part in ["[data-action=home]", ".jog", ".axes"] {
        assert!(seen("sim-line", part).is_null(), "{part} of a machine that only takes lines");
        assert!(!seen("sim-grbl", part).is_null(), "{part} of a mill");
    }
    for name in ["sim-ebb", "sim-grbl"] {
        browser.click(&format!("[data-device={name}] .jog > summary"));
    }
    assert_eq!(seen("sim-grbl", "[data-jog='z+']"), "Z+");
    assert_eq!(seen("sim-ebb", "[data-jog='z+']"), "Pen up");
    let axes = |name: &str| seen(name, ".axes .figure:not([hidden]):last-child dt");
    assert_eq!((axes("sim-grbl"), axes("sim-ebb")), (Value::Null, json!("Pen")));
    assert_eq!(browser.complaints(), [""; 0]);
}
