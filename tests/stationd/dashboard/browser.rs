//! Chromium without a window, driven over `WebDriver`: JSON over HTTP to its driver.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, DEADLINE, eventually};

/// Browsers are heavy: one at a time.
static TURN: Mutex<()> = Mutex::new(());

/// How `WebDriver` calls the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window with one page. Dropped, it is closed with everything it has started.
pub(super) struct Browser {
    driver: Child,
    client: Client,
    session: String,
    profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// A light window of 1440 by 900 pixels.
    pub(super) fn open() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let chromium = find(&["chromium", "chromium-browser", "google-chrome"]);
        let (driver, address) = start_driver(&find(&["chromedriver"]));
        let profile = tempfile::Builder::new().prefix("stationd-browser-").tempdir().unwrap();
        let mut browser = Self {
            driver,
            client: Client::tcp(address),
            session: String::new(),
            profile,
            _turn: turn,
        };
        let directory = format!("--user-data-dir={}", browser.profile.path().display());
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            // The unit tests of the page's modules are read from the disk.
            "--allow-file-access-from-files",
            &directory,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"binary": chromium, "args": args},
        }}});
        let session = value(browser.client.post("/session", &wanted).json());
        session["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        browser.size(1440, 900);
        browser
    }

    fn path(&self, rest: &str) -> String {
        format!("/session/{}{rest}", self.session)
    }

    fn call(&self, rest: &str, body: &Value) -> Result<Value, String> {
        let answer = self.client.post(&self.path(rest), body).json()["value"].take();
        match answer["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["message"])),
            None => Ok(answer),
        }
    }

    /// Opens an address.
    #[track_caller]
    pub(super) fn goto(&self, url: &str) {
        self.call("/url", &json!({"url": url})).unwrap();
    }

    /// Runs JavaScript in the page; what it returns.
    #[track_caller]
    pub(super) fn js(&self, script: &str) -> Value {
        self.call("/execute/sync", &json!({"script": script, "args": []})).unwrap()
    }

    /// Waits until an expression of JavaScript is true.
    #[track_caller]
    pub(super) fn until(&self, what: &str, expression: &str) {
        eventually(what, || {
            (self.js(&format!("return Boolean({expression})")) == true).then_some(())
        });
    }

    /// Waits until the page hears its station and has read all of it.
    #[track_caller]
    pub(super) fn live(&self) {
        self.until("the page is live", "document.body?.dataset.connection === 'live'");
        let read = "!document.querySelector('#sentence').textContent.startsWith('Reading')";
        self.until("the station has been read", read);
    }

    /// The text of the first element that a selector finds, once there is one.
    #[track_caller]
    pub(super) fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({})?.textContent", json!(selector));
        eventually(&format!("there is {selector}"), || self.js(&script).as_str().map(str::to_owned))
    }

    fn element(&self, selector: &str) -> Result<String, String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.call("/element", &wanted)?;
        Ok(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// Clicks as a mouse does, once the element can be seen and nothing lies over it.
    #[track_caller]
    pub(super) fn click(&self, selector: &str) {
        let start = Instant::now();
        let click = || {
            let id = self.element(selector)?;
            self.call(&format!("/element/{id}/click"), &json!({}))
        };
        while let Err(error) = click() {
            assert!(start.elapsed() < DEADLINE, "{selector} cannot be clicked: {error}");
            thread::yield_now();
        }
    }

    /// Chooses a file, as a person does in the file chooser.
    #[track_caller]
    pub(super) fn choose(&self, selector: &str, file: &Path) {
        let id = self.element(selector).unwrap();
        let text = json!({"text": file.to_str().unwrap()});
        self.call(&format!("/element/{id}/value"), &text).unwrap();
    }

    /// A command of the browser's own protocol.
    #[track_caller]
    pub(super) fn devtools(&self, command: &str, params: &Value) -> Value {
        self.call("/goog/cdp/execute", &json!({"cmd": command, "params": params})).unwrap()
    }

    /// Another size of the page; a narrow one is a phone with a touch screen.
    #[track_caller]
    pub(super) fn size(&self, width: u32, height: u32) {
        let phone = width < 500;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}),
        );
        self.devtools("Emulation.setTouchEmulationEnabled", &json!({"enabled": phone}));
    }

    /// Presses a key, and lets it go; with Alt if `alt`.
    #[track_caller]
    pub(super) fn press(&self, key: &str, alt: bool) {
        for kind in ["rawKeyDown", "keyUp"] {
            let modifiers = u8::from(alt); // of the protocol: Alt is 1
            let event = json!({"type": kind, "key": key, "code": key, "modifiers": modifiers});
            self.devtools("Input.dispatchKeyEvent", &event);
        }
    }

    /// Drags with the mouse from the middle of one element to the lower edge of another.
    #[track_caller]
    pub(super) fn drag(&self, from: &str, to: &str) {
        let script = format!(
            "document.querySelector({to}).scrollIntoView({{block: 'center'}});
            return [{from}, {to}].map((selector) => {{
                const box = document.querySelector(selector).getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2, box.bottom - 2];
            }})",
            from = json!(from),
            to = json!(to)
        );
        let places = self.js(&script);
        let mouse = |kind: &str, x: &Value, y: f64| {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1});
            self.devtools("Input.dispatchMouseEvent", &event);
        };
        let (x, top, bottom) =
            (&places[0][0], places[0][1].as_f64().unwrap(), places[1][2].as_f64().unwrap());
        mouse("mousePressed", x, top);
        mouse("mouseMoved", x, f64::midpoint(top, bottom));
        mouse("mouseMoved", x, bottom);
        mouse("mouseReleased", x, bottom);
    }

    /// What the page has complained of in the console since this was last asked.
    #[track_caller]
    pub(super) fn complaints(&self) -> Vec<String> {
        let log = self.call("/se/log", &json!({"type": "browser"})).unwrap();
        let bad = |entry: &&Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        log.as_array().unwrap().iter().filter(bad).map(text).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes Chromium; the driver alone would leave it behind.
        let _ = self.client.attempt("DELETE", &self.path(""), &[], b"");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn value(mut answer: Value) -> Value {
    assert!(answer["value"]["error"].is_null(), "{answer}");
    answer["value"].take()
}

fn find(names: &[&str]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates = |name: &&str| {
        let name = (*name).to_owned();
        env::split_paths(&path).map(move |directory| directory.join(&name)).collect::<Vec<_>>()
    };
    names.iter().flat_map(candidates).find(|candidate| candidate.is_file()).unwrap_or_else(|| {
        panic!("{} is not installed: scripts/test installs what the tests need", names[0])
    })
}

/// Starts the driver on a free port, which it tells.
fn start_driver(program: &Path) -> (Child, SocketAddr) {
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    let port = loop {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "chromedriver has ended");
        if let Some((_, rest)) = line.split_once("successfully on port ") {
            break rest.trim().trim_end_matches('.').parse::<u16>().unwrap();
        }
    };
    // It must never wait for somebody to read what else it says.
    thread::spawn(move || output.read_to_end(&mut Vec::new()));
    (driver, (Ipv4Addr::LOCALHOST, port).into())
}
