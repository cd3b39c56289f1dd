//! The view of daemons: which are shown, why each is as it is, what a person can do with them.

use serde_json::{Value, json};

use super::browser::Browser;
use crate::support::{Station, eventually};

/// Opens a view by its address behind the `#`, and waits until it shows what is so.
#[track_caller]
fn open(browser: &Browser, station: &Station, address: &str) {
    browser.goto(&format!("http://localhost:{}/#/{address}", station.address().port()));
    browser.live();
}

#[track_caller]
fn reload(browser: &Browser) {
    browser.js("location.reload()");
    browser.live();
}

/// The names of the daemons that are shown, in their order.
#[track_caller]
fn shown(browser: &Browser) -> Value {
    browser.js(
        "return [...document.querySelectorAll('tr[data-daemon]')].map((row) => row.dataset.daemon)",
    )
}

#[track_caller]
fn until_shown(browser: &Browser, names: &[&str]) {
    eventually(&format!("{names:?} are shown"), || (shown(browser) == json!(names)).then_some(()));
}

fn row(name: &str) -> String {
    format!("tr[data-daemon={name}]")
}

#[track_caller]
fn until_state(browser: &Browser, name: &str, state: &str) {
    let there = format!("document.querySelector('{}[data-state={state}]')", row(name));
    browser.until(&format!("{name} is {state}"), &there);
}

fn pid(station: &Station, name: &str) -> Option<u64> {
    let daemon = station.local().get(&format!("/api/v1/daemons/{name}")).expect(200);
    daemon["pid"].as_u64()
}

/// Two programs that speak, the second of which needs the first.
const TICKERS: &str = r#"
daemons:
  - name: ticker
    command: [sh, -c, "while :; do echo tick; sleep 0.2; done"]
    category: demo
  - name: second
    command: [sh, -c, "while :; do echo tock; sleep 0.2; done"]
    category: demo
    depends_on: [ticker]
"#;

#[test]
fn a_choice_of_daemons_survives_a_reload() {
    let station = Station::start();
    let browser = Browser::open();
    open(&browser, &station, "daemons");
    browser.click("[data-category=core]");
    until_shown(&browser, &["device-manager", "job-queue"]);
    assert_eq!(browser.text("[data-category=core] .chip-number"), "2");
    browser.click("[data-order=need]");
    browser.click(&format!("{} [data-action=why]", row("job-queue")));
    let address = browser.js("return location.hash");
    assert_eq!(address, "#/daemons?category=core&why=job-queue&order=need");
    reload(&browser);
    until_shown(&browser, &["device-manager", "job-queue"]);
    browser.until(
        "it is pressed",
        "document.querySelector('[data-category=core][aria-pressed=true]')",
    );
    let needs = format!("{} [data-need=device-manager]", row("job-queue"));
    browser.until("what it needs is named", &format!("document.querySelector('{needs}')"));
    let below = format!("document.querySelector('{}[data-depth=\"1\"]')", row("job-queue"));
    browser.until("it stands below what it needs", &below);
    assert!(!browser.text(".why-panel .chain li").is_empty());
    browser.click("[data-action=clear-filter]");
    browser.until("all are shown", "document.querySelectorAll('tr[data-daemon]').length > 4");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_link_to_a_daemon_opens_why_it_is_as_it_is() {
    let station = Station::start();
    let browser = Browser::open();
    open(&browser, &station, "overview");
    browser.click("#daemon-panel [data-daemon=job-queue] a");
    assert!(!browser.text(".why-panel .chain li").is_empty());
    browser.click(".why-panel [data-need=device-manager] a");
    let both = "document.querySelectorAll('.why-panel').length === 2";
    browser.until("what it needs is opened, too", both);
    assert_eq!(browser.js("return document.activeElement.textContent"), "device-manager");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_stop_names_what_needs_the_daemon_before_it_is_done() {
    let station = Station::start();
    let browser = Browser::open();
    open(&browser, &station, "daemons");
    let stop = format!("{} [data-action=stop]", row("device-manager"));
    browser.click(&stop);
    let question = browser.text(&format!("{} .question > span", row("device-manager")));
    assert_eq!(question, "Stop device-manager? job-queue needs it.");
    browser.click(&format!("{} [data-answer=no]", row("device-manager")));
    until_state(&browser, "device-manager", "RUNNING");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn what_a_program_writes_is_read_as_it_is_written() {
    let station = Station::with().config(TICKERS).start();
    let browser = Browser::open();
    open(&browser, &station, "daemons?category=demo");
    browser.click(&format!("{} [data-action=log]", row("ticker")));
    let lines = "document.querySelectorAll('[data-log=ticker] .log-lines p').length";
    browser.until("lines are there", &format!("{lines} > 3"));
    let before = browser.js(&format!("return {lines}")).as_u64().unwrap();
    browser.until("more of them come", &format!("{lines} > {before} + 3"));
    let other =
        "document.querySelector('[data-log=ticker] .log-lines').textContent.includes('tock')";
    assert_eq!(browser.js(&format!("return {other}")), false);

    browser.click("[data-log=ticker] [data-action=follow]");
    let note = "document.querySelector('[data-log=ticker] .note').textContent";
    browser.until("new ones are counted while it stands still", &format!("{note}.includes('new')"));
    let held = browser.js(&format!("return {lines}"));
    browser.until("more are counted", &format!("/paused, ([3-9]|\\d\\d+) new/.test({note})"));
    assert_eq!(browser.js(&format!("return {lines}")), held);
    browser.click("[data-log=ticker] [data-action=follow]");
    browser.until("they are shown", &format!("{lines} > {held} + 2"));

    browser.click(&format!("{} [data-action=log]", row("second")));
    let tock =
        "document.querySelector('[data-log=second] .log-lines')?.textContent.includes('tock')";
    browser.until("two are read at once", tock);
    let now = browser.js(&format!("return {lines}"));
    browser.until("the first goes on", &format!("{lines} > {now}"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_program_that_floods_fills_no_page_and_its_words_stay_text() {
    let config = r#"
daemons:
  - name: flood
    command: [sh, -c, "while :; do seq 200; echo '<img src=x onerror=window.hit=1>'; sleep 0.05; done"]
    category: demo
"#;
    let station = Station::with().config(config).start();
    let browser = Browser::open();
    open(&browser, &station, "daemons?log=flood");
    let lines = "document.querySelectorAll('.log-lines p').length";
    browser.until("as many as are kept", &format!("{lines} === 1000"));
    browser.js("const find = document.querySelector('.log-panel input'); find.value = 'IMG'; find.dispatchEvent(new Event('input'))");
    let visible = "[...document.querySelectorAll('.log-lines p')].filter((line) => !line.hidden)";
    let only = format!(
        "{visible}.length > 0 && {visible}.every((line) => line.className === 'gap' || line.textContent.includes('<img'))"
    );
    browser.until("those with the word are left", &only);
    assert_eq!(browser.js(&format!("return {lines} <= 1000")), true);
    assert_eq!(browser.js("return document.querySelectorAll('.log-lines img').length"), 0);
    assert!(browser.js("return window.hit ?? null").is_null());
}

#[test]
fn a_program_that_fails_shows_why_and_when_it_comes_back() {
    let config = r#"
daemons:
  - name: flaky
    command: [sh, -c, "echo the disk is full; exit 3"]
    category: demo
    restart_policy: {backoff_base: 30s, backoff_max: 30s, jitter: 0}
"#;
    let station = Station::with().config(config).start();
    let browser = Browser::open();
    open(&browser, &station, "daemons?why=flaky");
    until_state(&browser, "flaky", "BACKOFF");
    let soon = "document.querySelector('.why-panel .chain-next strong')?.textContent";
    browser.until(
        "a countdown runs",
        &format!("/restarts in \\d+ s · restart 1 of \\d+/.test({soon})"),
    );
    let left =
        |browser: &Browser| browser.js(&format!("return Number({soon}.match(/in (\\d+) s/)?.[1])"));
    let first = left(&browser).as_u64().unwrap();
    browser.until("it counts down", &format!("Number({soon}.match(/in (\\d+) s/)?.[1]) < {first}"));
    assert!(browser.text(".why-panel .transcript").contains("the disk is full"));
    assert!(browser.text(".why-panel .error-words").contains('3'));
    let piece = format!("document.querySelector('{} [data-piece=BACKOFF]')", row("flaky"));
    browser.until("its past is drawn", &piece);
    let strip = browser.js(&format!(
        "return document.querySelector('{} .strip').getAttribute('aria-label')",
        row("flaky"),
    ));
    assert!(strip.as_str().unwrap().starts_with("History of flaky: Now backing off"), "{strip}");
    browser.click(&format!("{} [data-action=stop]", row("flaky")));
    browser.click(&format!("{} [data-answer=yes]", row("flaky")));
    until_state(&browser, "flaky", "STOPPED");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn those_that_are_shown_are_restarted_one_after_the_other() {
    let station = Station::with().config(TICKERS).start();
    let browser = Browser::open();
    open(&browser, &station, "daemons?category=demo");
    until_shown(&browser, &["second", "ticker"]);
    for name in ["second", "ticker"] {
        until_state(&browser, name, "RUNNING");
    }
    let before = ["second", "ticker"].map(|name| pid(&station, name).unwrap());
    browser.until(
        "both are meant",
        "document.querySelector('[data-action=rolling-shown]').textContent === 'Rolling restart of these 2…'",
    );
    browser.click("[data-action=rolling-shown]");
    let question = browser.text(".bulk .question > span");
    assert!(question.starts_with("Rolling restart of second, ticker?"), "{question}");
    browser.click(".bulk [data-answer=yes]");
    browser.until(
        "what was done is said",
        "document.querySelector('.bulk-words').textContent.startsWith('2 daemons: ')",
    );
    let after = ["second", "ticker"].map(|name| pid(&station, name).unwrap());
    assert!(before.iter().all(|pid| !after.contains(pid)), "{before:?} {after:?}");

    browser.click("[data-action=stop-shown]");
    browser.click(".bulk [data-answer=yes]");
    for name in ["second", "ticker"] {
        until_state(&browser, name, "STOPPED");
    }
    browser.click("[data-action=start-shown]");
    for name in ["second", "ticker"] {
        until_state(&browser, name, "RUNNING");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_program_has_a_pid_a_memory_and_a_share_of_a_core() {
    let station = Station::with().config(TICKERS).start();
    let browser = Browser::open();
    open(&browser, &station, "daemons?category=demo&order=need");
    until_shown(&browser, &["ticker", "second"]);
    let figure = |name: &str| {
        format!("document.querySelector('{} [data-figure={name}]').textContent", row("ticker"))
    };
    browser.until("its PID", &format!("/^\\d+$/.test({})", figure("pid")));
    browser.until("its memory", &format!("/^[\\d.]+ [KM]B$/.test({})", figure("memory")));
    browser.until("its share of a core", &format!("/^[\\d.]+ %$/.test({})", figure("cpu")));
    let need =
        format!("document.querySelector('{} [data-need=ticker][data-met=true]')", row("second"));
    browser.until("what the other needs is met", &need);
    for width in [320, 390, 768] {
        browser.size(width, 844);
        let wide = browser.js("return document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= width.into(), "{wide} px at {width} px");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_broken_plugin_is_shown_with_what_is_wrong() {
    let builder = Station::with();
    let plugin = builder.workspace().join("plugins/camera-kit");
    std::fs::create_dir_all(&plugin).unwrap();
    std::fs::write(plugin.join("plugin.yaml"), "name: camera-kit\nnonsense: 1\n").unwrap();
    let station = builder.start();
    let browser = Browser::open();
    open(&browser, &station, "daemons");
    browser.until(
        "it is listed as broken",
        "document.querySelector('[data-plugin=camera-kit] [data-state=broken]')",
    );
    assert!(browser.text("[data-plugin=camera-kit] .refusal-words").contains("nonsense"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_run_that_was_killed_is_spoken_of_until_it_is_dismissed() {
    let mut station = Station::start();
    station.kill();
    station.again();
    let browser = Browser::open();
    open(&browser, &station, "overview");
    browser.until("it is said", "document.querySelector('#last-run:not([hidden])')");
    assert!(browser.text("#last-run strong").starts_with("The last run was killed"));
    browser.click("#last-run [data-action=dismiss]");
    browser.until("it is gone", "document.querySelector('#last-run').hidden");
    reload(&browser);
    browser.until("the state is known", "document.querySelector('#daemon-panel li')");
    assert_eq!(browser.js("return document.querySelector('#last-run').hidden"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}
