//! Plug-ins from outside: installed, run, reported when broken, and removed.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{Station, WebSocket, eventually, lives, sh};

/// A plug-in in `home`, with a program `bin/work` that says where it works and then sleeps.
fn plugin(home: &Path, name: &str, more: &Value) -> PathBuf {
    let mut yaml = json!({"name": name, "version": "1.2", "description": "a picture each hour",
        "daemons": [{"name": name, "command": ["bin/work", "now and then"], "environment": {"OUT": "pictures"}}]});
    yaml.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let directory = home.join(format!("{name}-source"));
    fs::create_dir_all(directory.join("bin")).unwrap();
    write(&directory.join("plugin.yaml"), &yaml.to_string());
    let script = "#!/bin/sh\necho \"$1 in $(pwd) to $OUT\"\nexec sleep 600\n";
    program(&directory.join("bin/work"), script);
    directory
}

/// A program of a plug-in.
pub(crate) fn program(file: &Path, script: &str) {
    fs::write(file, script).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
}

/// Whatever the mask of the tests is: others may not write to it.
pub(crate) fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
}

fn listed(station: &Station, name: &str) -> Option<Value> {
    let all = station.tcp().get("/api/v1/plugins").expect(200)["items"].clone();
    all.as_array().unwrap().iter().find(|it| it["name"] == name).cloned()
}

#[test]
fn a_plug_in_is_installed_runs_and_goes_without_a_trace() {
    let station = Station::start();
    let source = plugin(station.home(), "timelapse", &json!({}));
    let done = station.cli(["plugin", "install", source.to_str().unwrap()]).exited(0);
    assert_eq!(done.stdout, "timelapse: installed (1.2)\n");
    let pid = station.await_pid("timelapse");
    let directory = station.workspace().join("plugins/timelapse");
    let real = fs::canonicalize(&directory).unwrap();
    let wanted = format!("now and then in {} to pictures\n", real.display());
    eventually("it works in its own directory", || {
        let log = fs::read_to_string(station.workspace().join("logs/timelapse.log")).ok()?;
        (log == wanted).then_some(())
    });
    let daemon = station.daemon("timelapse");
    assert_eq!((&daemon["category"], &daemon["kind"]), (&json!("plugin"), &json!("process")));
    let list = station.cli(["plugin", "list"]).exited(0).stdout;
    let row: Vec<&str> = list
        .lines()
        .nth(1)
        .unwrap()
        .split("  ")
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(row[..4], ["timelapse", "1.2", "loaded", "timelapse"], "{list}");
    let again = station.cli(["plugin", "install", source.to_str().unwrap()]).exited(1);
    assert!(again.stderr.contains("timelapse is installed already"), "{again:?}");
    assert_eq!(station.await_pid("timelapse"), pid, "it goes on");

    let mut station = station;
    assert_eq!(station.stop(), 0);
    station.again();
    let pid = station.await_pid("timelapse");
    let mut socket = WebSocket::subscribed(&station.tcp(), &["daemon:timelapse"]);
    let gone = station.cli(["plugin", "uninstall", "Timelapse"]).exited(0).stdout;
    assert!(gone.ends_with(": uninstalled\n"), "{gone}");
    socket.until(|message| message["state"] == "STOPPED");
    eventually("its daemon is gone", || {
        (station.local().get("/api/v1/daemons/timelapse").status == 404).then_some(())
    });
    assert!(!lives(pid) && !directory.exists() && listed(&station, "timelapse").is_none());
    assert_eq!(station.tcp().get("/health").expect(200)["status"], "healthy");
}

#[test]
fn a_broken_one_is_reported_and_nothing_else_is_disturbed() {
    let builder = Station::with();
    let plugins = builder.workspace().join("plugins");
    fs::create_dir_all(&plugins).unwrap();
    let good = plugin(builder.home(), "good", &json!({}));
    fs::rename(good, plugins.join("good")).unwrap();
    let wrong =
        json!({"daemons": [{"name": "wrong", "command": ["bin/work"], "restart": "maybe"}]});
    let wrong = plugin(builder.home(), "wrong", &wrong);
    fs::rename(wrong, plugins.join("wrong")).unwrap();
    fs::create_dir(plugins.join("garbled")).unwrap();
    write(&plugins.join("garbled/plugin.yaml"), "name: [");

    let mut station = builder.start();
    let pid = station.await_pid("good");
    let reported = |station: &Station| {
        let wrong = listed(station, "wrong").unwrap();
        assert_eq!(wrong["status"], "broken", "{wrong}");
        let error = wrong["error"].as_str().unwrap();
        assert!(error.contains("plugin.yaml:1:") && error.contains("\"maybe\""), "{wrong}");
        assert_eq!(listed(station, "garbled").unwrap()["status"], "broken");
        assert_eq!(listed(station, "good").unwrap()["status"], "loaded");
        assert_eq!(station.local().get("/api/v1/daemons/wrong").status, 404);
        let health = station.tcp().get("/health").expect(200);
        assert_eq!(health["status"], "degraded", "{health}");
        assert!(health["checks"]["plugins"].as_str().unwrap().contains("is broken"), "{health}");
    };
    reported(&station);
    let table = station.cli(["plugin", "list"]).exited(0).stdout;
    assert!(table.lines().any(|it| it.starts_with("wrong") && it.contains("broken")), "{table}");
    station.cli(["reload"]).exited(0);
    station.cli(["plugin", "reload"]).exited(0);
    reported(&station);
    assert_eq!(station.await_pid("good"), pid);
    assert_eq!(station.stop(), 0);
    station.again();
    reported(&station);
    // One that is mended is taken into use, and one that breaks is taken out.
    let yaml = json!({"name": "wrong", "daemons": [{"name": "wrong", "command": ["bin/work"]}]});
    write(&plugins.join("wrong/plugin.yaml"), &yaml.to_string());
    write(&plugins.join("good/plugin.yaml"), "name: 5");
    fs::remove_dir_all(plugins.join("garbled")).unwrap();
    let pid = station.await_pid("good");
    station.cli(["plugin", "reload"]).exited(0);
    station.await_pid("wrong");
    eventually("what broke is out of use", || {
        (station.local().get("/api/v1/daemons/good").status == 404).then_some(())
    });
    // It is out of the list at once, and may still be stopping.
    eventually("its program has ended", || (!lives(pid)).then_some(()));
}

#[test]
fn what_would_be_broken_is_not_installed_and_leaves_nothing() {
    let station =
        Station::with().daemons(&json!([sh("camera", "exec sleep 600", &json!({}))])).start();
    let pid = station.await_pid("camera");
    let daemon = |more: Value| {
        let mut daemon = json!({"name": "it", "command": ["bin/work"]});
        daemon.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"daemons": [daemon]})
    };
    for (name, more, why) in [
        ("unknown", json!({"deamons": []}), "deamons"),
        ("program", daemon(json!({"command": ["bin/none"]})), "bin/none"),
        ("taken", daemon(json!({"name": "Camera"})), "the same name"),
        ("needs", daemon(json!({"depends_on": ["nobody"]})), "does not exist"),
        ("round", daemon(json!({"depends_on": ["it"]})), "depend on each other: it -> it"),
    ] {
        let source = plugin(station.home(), name, &more);
        let refused = station.cli(["plugin", "install", source.to_str().unwrap()]).exited(1);
        assert!(refused.stderr.contains(why), "{refused:?}");
        assert_eq!(listed(&station, name), None);
        assert!(!station.workspace().join("plugins").join(name).exists(), "{name}");
        assert_eq!(station.tcp().get("/health").expect(200)["status"], "healthy", "{name}");
    }
    let nowhere = station.home().join("nowhere");
    station.cli(["plugin", "install", nowhere.to_str().unwrap()]).exited(1);
    assert_eq!(station.await_pid("camera"), pid);
}

#[test]
fn only_an_admin_installs_programs() {
    let station = Station::start();
    let source = plugin(station.home(), "timelapse", &json!({}));
    let path = json!({"path": source});
    let operator = station.tcp();
    let refused = operator.post("/api/v1/plugins", &path).refused(403);
    assert!(refused.contains("admin"), "{refused}");
    operator.post("/api/v1/plugins/reload", &json!({})).refused(403);
    assert_eq!(operator.get("/api/v1/plugins").expect(200)["items"], json!([]));
    let url = format!("http://{}", station.address());
    let by_url = ["--url", &url, "plugin", "install", source.to_str().unwrap()];
    crate::support::run(station.home(), by_url).exited(4);
    let installed = station.local().post("/api/v1/plugins", &path).expect(201);
    assert_eq!(installed["name"], "timelapse");
    station.await_pid("timelapse");
    operator.delete("/api/v1/plugins/timelapse").refused(403);
    // What it brings is a daemon like any other.
    operator.post("/api/v1/daemons/timelapse/stop", &Value::Null).expect(200);
    let audit = station.local().get("/api/v1/events?since=0&limit=1000&type=audit").expect(200);
    let audit = audit["items"].as_array().unwrap().iter();
    let outcomes: Vec<&Value> = audit
        .filter(|it| it["action"].as_str().unwrap_or_default().starts_with("plugin.install"))
        .map(|it| &it["outcome"])
        .collect();
    assert_eq!(outcomes.last(), Some(&&json!("ok")), "{outcomes:?}");
}
