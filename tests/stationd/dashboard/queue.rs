//! The order of the queue and whether it starts anything, steered in the browser.

use serde_json::json;

use super::{
    browser::Browser,
    works::{page, sample},
};
use crate::support::{Station, eventually};

/// The names of the jobs that wait, in the order of the station.
fn waiting(station: &Station) -> Vec<String> {
    let queue = station.local().get("/api/v1/queue").expect(200);
    let name = |job: &serde_json::Value| job["name"].as_str().unwrap().to_owned();
    queue["items"].as_array().unwrap().iter().map(name).collect()
}

#[track_caller]
fn until_order(browser: &Browser, station: &Station, names: [&str; 3]) {
    eventually(&format!("the station has {names:?}"), || (waiting(station) == names).then_some(()));
    let shown = "[...document.querySelectorAll('#queue [data-movable] .job-name')].map((name) => name.textContent)";
    browser.until("the page, too", &format!("{shown}.join() === '{}'", names.join(",")));
}

/// Whose handle has the focus.
fn focused(browser: &Browser) -> serde_json::Value {
    browser.js("return document.activeElement.getAttribute('aria-label')")
}

#[test]
fn waiting_jobs_change_places_by_key_by_menu_and_by_drag_and_that_is_undone() {
    let station = Station::with().simulate("grbl").start();
    for name in ["first", "a", "b", "c"] {
        station.cli(["submit", "--name", name, sample().to_str().unwrap()]).exited(0);
    }
    let browser = Browser::open();
    page(&browser, &station, "overview");
    until_order(&browser, &station, ["a", "b", "c"]);
    let handle =
        |at: u8| format!("#queue [data-movable]:nth-child({at} of [data-movable]) .handle");

    browser.js(&format!("document.querySelector({}).focus()", json!(handle(1))));
    browser.press("ArrowDown", true);
    until_order(&browser, &station, ["b", "a", "c"]);
    assert_eq!(focused(&browser), "Move a", "the focus goes with the line");
    browser.press("ArrowDown", true);
    until_order(&browser, &station, ["b", "c", "a"]);
    browser.press("ArrowDown", true);
    browser.press("ArrowUp", true);
    until_order(&browser, &station, ["b", "a", "c"]);
    browser.until("it is said", "document.querySelector('.undo').textContent.includes('Moved a')");

    browser.click(&handle(3));
    browser.until("the menu is open", "document.querySelector('.move-menu:not([hidden])')");
    assert_eq!(browser.js("return document.activeElement.textContent"), "Move first");
    browser.press("Escape", false);
    browser.until("it is shut", "!document.querySelector('.move-menu:not([hidden])')");
    browser.click(&handle(3));
    browser.click(".move-menu:not([hidden]) [data-move=first]");
    until_order(&browser, &station, ["c", "b", "a"]);
    browser.click("[data-action=undo]");
    until_order(&browser, &station, ["b", "a", "c"]);
    browser.until("nothing is left to undo", "document.querySelector('.undo').hidden");

    browser.drag(&handle(1), "#queue [data-movable]:nth-child(3 of [data-movable])");
    until_order(&browser, &station, ["a", "c", "b"]);
    browser.click("[data-action=undo]");
    until_order(&browser, &station, ["b", "a", "c"]);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_queue_that_is_paused_says_so_on_top_until_it_is_opened() {
    let station = Station::with().simulate("grbl").start();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    browser.click("#queue-panel [data-action=queue-pause]");
    let says = |words: &str| {
        format!("document.querySelector('#sentence').textContent === {}", json!(words))
    };
    browser.until("it is said", &says("The queue is paused. Nothing is running or waiting."));
    station.cli(["submit", "--name", "later", sample().to_str().unwrap()]).exited(0);
    browser.until("why it waits", "document.querySelector('#queue [data-state=QUEUED] .note')?.textContent.includes('paused')");
    browser.click("#queue-panel [data-action=queue-resume]");
    browser.until("it runs", "document.querySelector('#queue li[data-state=RUNNING]')");

    page(&browser, &station, "machines");
    browser.click("[data-queue-of=sim-grbl] [data-action=queue-drain]");
    browser.click("[data-queue-of=sim-grbl] [data-answer=yes]");
    browser.until("that of one machine, too", "document.querySelector('#sentence').textContent.startsWith('The queue of sim-grbl is drain')");
    // What somebody else does is seen, too.
    station.local().post("/api/v1/queue/resume", &json!({"device": "sim-grbl"})).expect(200);
    browser.until(
        "somebody else opens it",
        "document.querySelector('[data-queue-of=sim-grbl][data-mode=running]')",
    );
    assert_eq!(browser.complaints(), [""; 0]);
}
