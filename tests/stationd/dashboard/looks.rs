//! How the page looks and what it never does.

use std::path::Path;

use serde_json::json;

use super::browser::Browser;
use crate::support::Station;

const VIEWS: [&str; 5] = ["overview", "jobs", "machines", "daemons", "events"];

/// Goes to a view and waits until it is there.
#[track_caller]
fn view(browser: &Browser, name: &str) {
    browser.js(&format!("location.hash = '#/{name}'"));
    let current = format!("document.querySelector('[data-route={name}][aria-current=page]')");
    browser.until(&format!("the view {name}"), &current);
}

fn open(station: &Station) -> Browser {
    let browser = Browser::open();
    browser.goto(&format!("http://localhost:{}/", station.address().port()));
    browser.live();
    browser
}

#[test]
fn every_view_fits_every_width_with_the_stop_in_reach() {
    let station = Station::with().simulate("grbl").start();
    station.submit(&json!({"command": ["sh", "-c", "exit 3"], "name": "a".repeat(120)}));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/static/samples/rosette.gcode");
    station.cli(["submit", sample]).exited(0);
    let long = format!("{}.gcode", "word ".repeat(20));
    station.cli(["submit", "--hold", "--name", &long, sample]).exited(0);
    let browser = open(&station);
    browser.until("it runs", "document.querySelector('.machine[data-state=busy]')");
    for (width, height) in [(320, 568), (390, 844), (768, 1024), (1440, 900)] {
        browser.size(width, height);
        for name in VIEWS {
            view(&browser, name);
            let sentence =
                "const line = document.querySelector('.sentence > span:not([aria-hidden])');
                const seen = [line, document.getElementById('sentence-brief')]
                    .find((part) => part.getBoundingClientRect().width > 2);
                return seen.getBoundingClientRect().height
                    / parseFloat(getComputedStyle(seen).lineHeight)";
            let lines = browser.js(sentence).as_f64().unwrap();
            assert!(width > 500 || lines < 2.5, "{lines} lines on top of {name} at {width} px");
            assert!(lines > 0.9, "the sentence is seen in {name} at {width} px");
            let wide = browser.js("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= width.into(), "{name} at {width} px is {wide} px wide");
            let stop = "const box = document.getElementById('stop-all').getBoundingClientRect();
                return box.left >= 0 && box.top >= 0 && box.right <= innerWidth
                    && box.bottom <= innerHeight && box.width >= 64 && box.height >= 64
                    && document.elementFromPoint(box.x + 32, box.y + 32).closest('#stop-all') !== null";
            assert_eq!(browser.js(stop), true, "the stop in {name} at {width} px");
        }
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_programs_and_files_say_stays_text() {
    let station = Station::with().simulate("grbl").start();
    let markup = "<img src=x onerror=\"window.hit=1\">";
    let id = station.submit(&json!({"command": ["sh", "-c", "exit 3", markup], "name": markup}));
    station.await_job(&id, "FAILED");
    let line = json!({"line": "<script>window.hit=1</script>"});
    station.local().post("/api/v1/devices/sim-grbl/send", &line);
    let browser = open(&station);
    let found = "document.querySelector('#view').textContent.includes('<img src=x')";
    for name in ["overview", "jobs", "events"] {
        view(&browser, name);
        browser.until("the words are shown", found);
    }
    browser.js(&format!("location.hash = '#/jobs/{id}'"));
    browser.until("the job's page shows them", &format!("{found} && document.querySelector('h1')"));
    let made = "return document.querySelectorAll('img, script:not([src]), iframe').length";
    assert_eq!(browser.js(made), 0);
    assert!(browser.js("return window.hit ?? null").is_null());
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_state_of_daemons_is_seen_and_steered() {
    let station = Station::start();
    let browser = open(&station);
    assert!(browser.text("#machine-panel .empty").contains("--simulate grbl"));
    view(&browser, "daemons");
    let row = "tr[data-daemon=sync]";
    browser.click(&format!("{row} [data-action=stop]"));
    browser.click(&format!("{row} [data-answer=yes]"));
    browser
        .until("it is stopped", &format!("document.querySelector('{row} [data-state=STOPPED]')"));
    browser.click(&format!("{row} [data-action=start]"));
    browser.until("it runs", &format!("document.querySelector('{row} [data-state=RUNNING]')"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_key_is_asked_for_and_kept_out_of_sight() {
    let station = Station::with()
        .set("websocket.authenticate", "true")
        .set("websocket.api_key", "correct-horse-battery-staple")
        .start();
    let browser = Browser::open();
    browser.goto(&format!("http://localhost:{}/", station.address().port()));
    browser.until("a key is asked for", "!document.querySelector('#key-form').hidden");
    let enter = |key: &str| {
        browser.js(&format!("document.getElementById('key-input').value = '{key}'"));
        browser.click("#key-form [type=submit]");
    };
    enter("wrong");
    browser.until(
        "a wrong one is refused",
        "document.querySelector('#key-problem').textContent.includes('not accepted')",
    );
    enter("correct-horse-battery-staple");
    browser.until("the right one opens", "document.body.dataset.connection === 'live'");
    browser.until("views are shown", "!document.querySelector('#view').hidden");
    assert!(!browser.js("return location.href").as_str().unwrap().contains("horse"));
    assert!(!station.log().contains("horse"));
}

#[test]
fn the_modules_pass_their_unit_tests() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard/index.html");
    let browser = Browser::open();
    browser.goto(&format!("file://{}", page.display()));
    browser.until("they have run", "document.body.dataset.result");
    let failed =
        browser.js("return [...document.querySelectorAll('.failed')].map((it) => it.textContent)");
    assert_eq!(failed, json!([]));
    let passed = browser.js("return document.querySelectorAll('.passed').length").as_u64().unwrap();
    assert!(passed > 15, "only {passed} have run");
    assert_eq!(browser.complaints(), [""; 0]);
}
