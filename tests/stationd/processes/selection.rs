//! Which daemons are to run: profiles, names, switches; and configurations that make no sense.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Builder, Station, run, sh};

fn some() -> Value {
    let on = |on: &[&str]| json!({"depends_on": on});
    let mut web = sh("web", "exec sleep 600", &on(&["camera"]));
    web["profiles"] = json!(["studio"]);
    json!([
        web,
        sh("camera", "exec sleep 600", &on(&["device-manager"])),
        sh("lights", "exec sleep 600", &json!({"profiles": ["night"]})),
        sh("spare", "exec sleep 600", &json!({"enabled": false})),
    ])
}

/// The names of those that are to run; all of them do.
fn running(station: &Station) -> Vec<String> {
    let names = station.all_daemons().into_iter().filter(|daemon| daemon["enabled"] == true);
    let names: Vec<String> = names.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    for name in &names {
        station.await_state(name, "RUNNING");
    }
    for daemon in station.all_daemons() {
        if daemon["enabled"] == false {
            assert_eq!(daemon["state"], "STOPPED", "{daemon}");
        }
    }
    names
}

#[test]
fn only_what_was_asked_for_runs_with_what_it_needs() {
    for (args, wanted) in [
        (&["--profile", "studio"][..], &["device-manager", "camera", "web"][..]),
        (&["--daemons", "WEB"], &["device-manager", "camera", "web"]),
        (&["--daemons", "lights,HEARTBEAT"], &["heartbeat", "lights"]),
        (&["--profile", "night"], &["lights"]),
    ] {
        let builder = Station::with().daemons(&some());
        let station = args.iter().fold(builder, Builder::arg).start();
        let mut names = running(&station);
        names.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{args:?}");
        assert_eq!(station.tcp().get("/ready").status, 200);
        // The others may run if somebody starts them.
        assert_eq!(station.order("spare", "start")["state"], "RUNNING");
    }
}

#[test]
fn what_is_not_known_is_told_with_the_nearest() {
    for (args, words) in [
        (["--profile", "studoi"], &["\"studoi\"", "the nearest is \"studio\"", "night"][..]),
        (["--daemons", "camrea"], &["\"camrea\"", "\"camera\""]),
    ] {
        let builder = Station::with().daemons(&some());
        let refused = args.iter().fold(builder, Builder::arg).run().exited(78);
        assert!(words.iter().all(|word| refused.stderr.contains(word)), "{refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
    let builder = Station::with().daemons(&some()).arg("--profile").arg("studoi");
    builder.run().exited(78);
    assert!(!builder.workspace().exists(), "nothing is made before that is known");
}

#[test]
fn the_environment_switches_one_on_or_off() {
    let builder = Station::with().daemons(&some()).env("STATIOND_SPARE_ENABLED", "1");
    let station = builder.env("STATIOND_LIGHTS_ENABLED", "false").start();
    let names = running(&station);
    assert!(names.contains(&"spare".to_owned()) && !names.contains(&"lights".to_owned()));
    assert!(station.cli(["daemon", "why", "lights"]).exited(0).stdout.contains("is not enabled"));
}

/// Several things are wrong with it, each in another line.
const BROKEN: &str = "\
daemons:
  - {name: one, command: [sleep, '600'], depends_on: [two]}
  - {name: two, command: [sleep, '600'], depends_on: [three]}
  - {name: three, command: [sleep, '600'], depends_on: [one]}
  - {name: TWO, command: [sleep, '600']}
  - {name: four, command: [sleep, '600'], depends_on: [fuor, hartbeat]}
  - {name: five, command: [/no/such/program], directory: /no/such/directory}
  - {name: six, command: [sleep, '600'], user: nobody-of-that-name, restart: sometimes}
";

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let builder = Station::with().config(BROKEN);
    let file = builder.config_file();
    let file = file.to_str().unwrap();
    let at = |place: &str, words: &str| (format!("{file}:{place}: error: "), words.to_owned());
    let wanted = [
        at("2:", "daemons depend on each other: one -> two -> three -> one"),
        at("5:12", "daemon \"TWO\" has the same name as \"two\""),
        at(
            "6:",
            "daemon \"four\" depends on \"fuor\", which does not exist, did you mean \"four\"?",
        ),
        at("6:", "depends on \"hartbeat\", which does not exist, did you mean \"heartbeat\"?"),
        at("7:", "\"/no/such/program\""),
        at("7:", "\"/no/such/directory\" is no directory"),
        at("8:", "\"nobody-of-that-name\" is not a user of this computer"),
        at("8:", "\"sometimes\" is not known"),
    ];
    let home = builder.home();
    let checks = [
        builder.run(),
        run(home, ["check", "config", "--config", file]),
        run(home, ["config", "check", file]),
    ];
    for refused in checks {
        let refused = refused.exited(78);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        for (place, words) in &wanted {
            let place = place.trim_end_matches(": error: ");
            let found = said.lines().any(|line| line.starts_with(place) && line.contains(words));
            assert!(found, "{place} {words}: {said}");
        }
    }
    assert!(!builder.workspace().exists(), "nothing was begun");
    fs::write(builder.config_file(), "daemons: [{name: one, command: [sleep, '600']}]").unwrap();
    let good = run(home, ["check", "config", "--config", file]).exited(0);
    assert!(!good.stdout.contains("error"), "{good:?}");
}
