//! The view of a job, and the queue: what asks for a person, what is found, in which order.

use serde_json::json;

use super::{
    browser::Browser,
    works::{page, sample},
};
use crate::support::{Station, eventually};

/// Submits a file; the new job's id.
#[track_caller]
fn submit(station: &Station, query: &str, file: &str) -> String {
    let path = format!("/api/v1/jobs?{query}");
    let job = station.local().request("POST", &path, &[], file.as_bytes()).expect(201);
    job["id"].as_str().unwrap().to_owned()
}

/// True in the page once the sentence on top is this one.
fn says(words: &str) -> String {
    format!("document.querySelector('#sentence').textContent === {}", json!(words))
}

#[test]
fn a_file_that_stops_asks_for_a_person_until_it_is_answered() {
    let station = Station::with().simulate("grbl").set("simulator.speed", "20").start();
    let file = "G21 G90\nG1 X20 F3000\nM0 (Change the pen: blue)\nG1 Y20\n";
    let id = submit(&station, "name=two.gcode", file);
    let browser = Browser::open();
    page(&browser, &station, "overview");
    let call = ".machine .call[data-call=stop]";
    browser.until("it calls", &format!("document.querySelector('{call}')?.offsetHeight > 60"));
    let tall = browser.js(&format!(
        "return parseFloat(getComputedStyle(document.querySelector('{call} .call-words')).fontSize)"
    ));
    assert!(tall.as_f64().unwrap() >= 20.0, "large enough to be read from afar, not {tall} px");
    assert_eq!(browser.text("#queue [data-asks=stop] .job-name"), "two.gcode");
    assert_eq!(
        browser.js("return document.querySelector('.sentence').dataset.meaning"),
        "attention"
    );
    assert!(browser.text(&format!("{call} [data-action=resume]")).ends_with("go on"));
    page(&browser, &station, &format!("jobs/{id}"));
    browser.click(".view .call [data-action=resume]");
    browser.until("it goes on to its end", "document.querySelector('.view[data-state=COMPLETED]')");
    browser.until("nothing is asked", "document.querySelector('.view .call').hidden");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_held_job_is_released_where_it_asks() {
    let station = Station::with().simulate("grbl").start();
    station.cli(["submit", "--hold", sample().to_str().unwrap()]).exited(0);
    let browser = Browser::open();
    page(&browser, &station, "overview");
    let top = "rosette.gcode is held: it needs you. Nothing is running, 1 job held.";
    browser.until("it is said on top", &says(top));
    browser.click("#queue [data-asks=held] [data-action=release]");
    browser.until("it runs", "document.querySelector('#queue li[data-state=RUNNING]')");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_file_that_leaves_the_reach_is_held_with_the_reason_until_a_person_insists() {
    let station = Station::with().simulate("grbl").start();
    let file = "G21 G90\nG1 X312 Y-4 F3000\nG1 X10 Y10\n(<b>far</b>)\n";
    let id = submit(&station, "name=far.gcode", file);
    let browser = Browser::open();
    page(&browser, &station, "overview");
    let top = "far.gcode leaves the machine\u{2019}s reach: it is held.";
    browser.until(
        "it is said on top",
        &format!("document.querySelector('#sentence strong')?.textContent === {}", json!(top)),
    );
    let red = "#queue [data-asks=red]";
    browser.until(
        "with its verdict",
        &format!("document.querySelector('{red} .note-line [data-state=red]:not([hidden])')"),
    );

    page(&browser, &station, &format!("jobs/{id}"));
    let cells = "[...document.querySelectorAll('table.bounds tbody tr')].map((row) => row.lastChild.textContent)";
    browser.until("bounds by axis", &format!("{cells}.join(' ') === '12.00 4.00 \u{2013}'"));
    assert_eq!(browser.text(".bounds-part .note"), "Out of reach by 12 mm on X and 4 mm on Y.");
    browser.until("in the picture, too", "document.querySelector('[data-line=outside]')");
    assert_eq!(browser.text(".problems [data-severity=red] .problem-line"), "line 2");
    browser.click(".call [data-action=release]");
    let question = browser.text(".call .question > span");
    assert_eq!(question, "It leaves the machine\u{2019}s reach by 12 mm on X and 4 mm on Y.");
    browser.click(".call [data-answer=no]");
    assert_eq!(station.local().get(&format!("/api/v1/jobs/{id}")).expect(200)["state"], "HELD");
    browser.click(".call [data-action=release]");
    browser.click(".call [data-answer=yes]");
    browser.until(
        "it is let go",
        "document.querySelector('.view[data-job-id]:not([data-state=HELD])')",
    );
    assert_eq!(station.local().get(&format!("/api/v1/jobs/{id}")).expect(200)["forced"], true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_places_where_a_file_stops_are_marked_in_its_picture() {
    let station = Station::with().simulate("grbl").start();
    let file = "(a comment)\nG21 G90\nG1 X20 F3000\n(more)\nM0 (turn <i>it</i>)\nG1 Y20\n";
    let id = submit(&station, "hold=true", file);
    let browser = Browser::open();
    page(&browser, &station, &format!("jobs/{id}"));
    let mark = browser.text(".legend [data-mark=stop]");
    assert_eq!(mark, "stop: turn <i>it</i>");
    let picture = station.local().get(&format!("/api/v1/jobs/{id}/toolpath")).expect(200);
    assert_eq!(picture["numbers"], json!([0, 3, 6]), "lines of the file, comments included");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn an_interrupted_job_shows_how_it_would_go_on_before_anything_moves() {
    let mut station = Station::with().simulate("grbl").set("simulator.speed", "4").start();
    let id = submit(&station, "name=part.nc", &std::fs::read_to_string(sample()).unwrap());
    let lines = || station.job(&id)["lines_acknowledged"].as_u64();
    eventually("it is on its way", || lines().is_some_and(|lines| lines > 30).then_some(()));
    station.kill();
    station.again();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    let top = "part.nc was interrupted: decide. Nothing is running or waiting.";
    browser.until("it is said on top", &says(top));
    browser.until("the machine is there", "document.querySelector('.machine[data-state=idle]')");
    browser.click("#queue [data-asks=interrupted] [data-action=resume]");
    browser
        .until("its page opens with the plan", "document.querySelector('.resume:not([hidden])')");
    let sure = browser.js("return document.querySelector('.resume').dataset.confidence");
    assert!(sure == "needs_homing" || sure == "untrusted", "its machine was reset: {sure}");
    assert!(browser.text(".resume-steps").contains("Then it goes on at line "));
    browser
        .until("lines that come first", "document.querySelectorAll('.resume-lines li').length > 0");
    browser.until("its place is marked", "document.querySelector('.legend [data-mark=resume]')");
    browser.click(".resume [data-action=confirm-resume]");
    browser.click(".resume [data-answer=no]");
    assert_eq!(station.job(&id)["state"], "INTERRUPTED", "nothing has moved");
    browser.click(".resume [data-action=confirm-resume]");
    browser.click(".resume [data-answer=yes]");
    browser.until("it goes on", "document.querySelector('.view[data-state=RUNNING]')");
    browser.until("the plan is gone", "document.querySelector('.resume').hidden");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_waits_behind_an_interrupted_job_leads_to_it() {
    let mut station = Station::with().simulate("grbl").set("simulator.speed", "4").start();
    let file = std::fs::read_to_string(sample()).unwrap();
    let half = submit(&station, "name=half.nc", &file);
    submit(&station, "name=behind.nc", &file);
    let lines = || station.job(&half)["lines_acknowledged"].as_u64();
    eventually("it is on its way", || lines().is_some_and(|lines| lines > 10).then_some(()));
    station.kill();
    station.again();
    let browser = Browser::open();
    page(&browser, &station, "overview");
    let top = "half.nc was interrupted: decide. Nothing is running, 1 job waiting.";
    browser.until("it is said on top", &says(top));
    assert_eq!(browser.text("#queue-panel > header .note"), "1 waiting");
    let wait = "#queue [data-state=QUEUED] .wait";
    let link = format!("document.querySelector('{wait}[data-meaning=attention] a')");
    browser.until(
        "what is in its way",
        &format!("{link} && {link}.checkVisibility() && {link}.textContent === 'half.nc'"),
    );
    assert_eq!(browser.text(".machine .lying a"), "half.nc");
    let behind = "document.querySelector('.machine .lying').textContent";
    browser.until("how many wait", &format!("{behind}.endsWith('1 job waits for that.')"));
    browser.click(&format!("{wait} a"));
    browser.until(
        "its page",
        &format!("document.querySelector('.view[data-job-id=\"{half}\"] .call[data-call=interrupted]:not([hidden])')"),
    );
    let label = "[...document.querySelectorAll('.view dt')].map((label) => label.textContent)";
    browser.until("its figures", &format!("{label}.includes('Started')"));
    let shown = format!(
        "return {label}.some((_, at, all) => all[at] === 'Took'
            && document.querySelectorAll('.view dt')[at].checkVisibility())"
    );
    assert_eq!(browser.js(&shown), false, "half a job took no time");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_a_program_writes_is_read_on_its_job_as_text() {
    let station = Station::start();
    let script = "echo '<img src=x onerror=window.hit=1>'; exit 3";
    let id = station.submit(&json!({"command": ["sh", "-c", script], "name": "render"}));
    station.await_job(&id, "FAILED");
    let browser = Browser::open();
    page(&browser, &station, &format!("jobs/{id}"));
    let lines = "document.querySelector('.view .log-lines').textContent";
    browser.until("it is read", &format!("document.querySelector('.view .log-lines') && {lines} === '<img src=x onerror=window.hit=1>'"));
    assert!(browser.js("return window.hit ?? null").is_null());
    assert_eq!(browser.text(".crumb"), "Jobs / render");
    let labels = browser.js("return [...document.querySelectorAll('.view dt')]
            .filter((label) => label.checkVisibility()).map((label) => label.textContent)");
    let labels: Vec<&str> =
        labels.as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert!(labels.contains(&"Took") && labels.contains(&"Exit code"), "{labels:?}");
    assert!(!labels.contains(&"Lines"), "a program has no lines: {labels:?}");
    page(&browser, &station, "jobs/gone");
    browser.until("it is not here", "document.querySelector('.view > .empty:not([hidden])')");
    assert_eq!(browser.text(".crumb"), "Jobs");
    assert_eq!(browser.complaints().len(), 1, "that there is no such job");
}
