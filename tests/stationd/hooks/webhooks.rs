//! Posts to a server that is there, slow, broken, away, and back.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use serde_json::{Value, json};

use super::{
    await_written, hooked,
    receiver::{Mood, Receiver},
    write_down,
};
use crate::support::{Station, eventually};

const TRUE: &[&str] = &["true"];

fn done(station: &Station) -> String {
    let job = station.submit(&json!({"command": TRUE, "name": "part.gcode"}));
    station.await_job(&job, "COMPLETED");
    job
}

/// What another program thinks of a signature; none if there is no such program.
fn signature_by_openssl(secret: &str, body: &[u8]) -> Option<String> {
    let mut child = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", secret, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split(' ').next().unwrap().to_owned())
}

#[test]
fn a_post_is_signed_named_and_not_repeated() {
    let server = Receiver::start(Mood::Answers(204, ""));
    let long = json!({"webhook": {"url": server.url("/long"), "secret": "swordfish",
        "headers": {"Authorization": "Bearer an other secret"}}});
    let hooks = json!({"COMPLETED": [{"webhook": server.url("/short?a=b")}, long]});
    let mut station = hooked(&hooks).start();
    let job = done(&station);
    let posts = server.await_posts(2);
    let short = posts.iter().find(|post| post.path == "/short?a=b").unwrap();
    assert_eq!(short.header("content-type"), "application/json");
    assert_eq!((short.header("x-stationd-signature"), short.header("authorization")), ("", ""));
    assert_eq!(short.header("x-stationd-event"), "COMPLETED");
    let told = short.json();
    assert_eq!(short.header("x-stationd-id"), told["id"].as_str().unwrap());
    assert_eq!((&told["job_id"], &told["job_name"]), (&json!(job), &json!("part.gcode")));
    let long = posts.iter().find(|post| post.path == "/long").unwrap();
    assert_eq!(long.header("authorization"), "Bearer an other secret");
    let signature = long.header("x-stationd-signature").strip_prefix("sha256=").unwrap();
    match signature_by_openssl("swordfish", &long.body) {
        Some(expected) => assert_eq!(signature, expected),
        None => eprintln!("skipped: there is no openssl to compare with"),
    }
    let run = station.await_run("COMPLETED[1]", "SUCCEEDED");
    assert_eq!((&run["code"], &run["event_id"]), (&json!(204), &told["event_id"]));

    // A restart repeats nothing, and nothing that is secret is shown.
    assert_eq!(station.stop(), 0);
    station.again();
    done(&station);
    assert_eq!(server.await_posts(4).len(), 4);
    let ids: BTreeSet<_> =
        server.posts().iter().map(|post| post.header("x-stationd-id").to_owned()).collect();
    assert_eq!(ids.len(), 4);
    let shown = [
        station.cli(["hook", "list", "--json"]).exited(0).stdout,
        station.cli(["hook", "runs", "--json"]).exited(0).stdout,
        station.cli(["config", "show", "--config", station.config_file().to_str().unwrap()]).stdout,
        station.log(),
    ];
    for text in shown {
        assert!(!text.contains("swordfish") && !text.contains("other secret"), "{text}");
    }
}

#[test]
fn a_server_that_is_away_gets_everything_once_it_is_back_even_after_a_crash() {
    let server = Receiver::start(Mood::Answers(200, ""));
    let (address, url) = (server.address, server.url("/"));
    drop(server);
    let builder = Station::with();
    let file = builder.home().join("words");
    let hooks = json!({"COMPLETED": [{"webhook": url}, write_down(&file, &["{job_id}"])]});
    let mut station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let jobs: Vec<_> = (0..5).map(|_| done(&station)).collect();
    // Nobody waits for the server.
    let mut words = await_written(&file, 5);
    words.sort();
    let mut sorted = jobs.clone();
    sorted.sort();
    assert_eq!(words, sorted);
    eventually("all were tried", || {
        let runs = station.hook_runs("?state=WAITING&hook=COMPLETED[0]");
        (runs.len() == 5 && runs.iter().all(|run| run["error"].is_string())).then_some(())
    });
    // A program whose end is not on disk would be run once more.
    eventually("the programs have run", || {
        (station.hook_runs("?state=SUCCEEDED&hook=COMPLETED[1]").len() == 5).then_some(())
    });
    let metrics = station.tcp().get("/metrics").text();
    assert!(metrics.contains("\nstationd_hook_outbox_length 5\n"), "{metrics}");
    station.kill();
    let server = Receiver::at(address, Mood::Answers(200, ""));
    station.again();
    server.await_posts(5);
    eventually("all are delivered", || {
        (station.hook_runs("?state=SUCCEEDED&hook=COMPLETED[0]").len() == 5).then_some(())
    });
    let told: Vec<Value> = server.posts().iter().map(super::receiver::Post::json).collect();
    let mut told: Vec<_> = told.iter().map(|it| it["job_id"].as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, sorted);
    assert_eq!(await_written(&file, 5).len(), 5, "the program is not run again");
    let metrics = station.tcp().get("/metrics").text();
    assert!(metrics.contains("\nstationd_hook_outbox_length 0\n"), "{metrics}");
}

#[test]
fn a_broken_server_is_asked_again_and_one_that_refuses_is_not() {
    let broken = Receiver::start(Mood::Answers(500, ""));
    let gone = Receiver::start(Mood::Answers(410, ""));
    let busy = Receiver::start(Mood::Answers(429, "Retry-After: 3\r\n"));
    let hooks = json!({"COMPLETED": [
        {"webhook": {"url": broken.url("/"), "retries": 1}},
        {"webhook": gone.url("/")},
        {"webhook": busy.url("/")},
    ]});
    let station = hooked(&hooks).set("supervisor.health_interval", "1s").start();
    let begun = Instant::now();
    done(&station);
    let run = station.await_run("COMPLETED[1]", "FAILED");
    assert_eq!((&run["code"], &run["attempts"]), (&json!(410), &json!(1)), "{run}");
    assert_eq!(
        (&run["output"], &run["error"]),
        (&json!("hello"), &json!("the server answered 410 Gone"))
    );
    let run = station.await_run("COMPLETED[0]", "FAILED");
    assert_eq!((&run["code"], &run["attempts"]), (&json!(500), &json!(2)), "{run}");
    assert_eq!(broken.posts()[0].body, broken.posts()[1].body);
    assert_eq!(broken.posts()[1].header("x-stationd-attempt"), "2");

    busy.await_posts(1);
    busy.mood(Mood::Answers(200, ""));
    station.await_run("COMPLETED[2]", "SUCCEEDED");
    assert!(begun.elapsed().as_secs() >= 3, "it has waited as long as it was told");
    assert_eq!((gone.posts().len(), busy.posts().len()), (1, 2));

    // A person has it tried again.
    broken.mood(Mood::Answers(200, ""));
    let id = run["id"].as_str().unwrap();
    let failed = station.cli(["hook", "log", "--failed"]).exited(0).stdout;
    assert!(failed.contains(id) && failed.lines().count() == 3, "{failed}");
    station.cli(["hook", "retry", id]).exited(0);
    station.await_run("COMPLETED[0]", "SUCCEEDED");
    assert_eq!(broken.posts().len(), 3);
    station.cli(["hook", "retry", id]).exited(1);
    station.cli(["hook", "retry", "nothing"]).exited(5);
}

#[test]
fn a_silent_server_is_given_up_in_time_and_a_stuck_outbox_is_told() {
    let server = Receiver::start(Mood::Silent);
    let webhook = json!({"webhook": {"url": server.url("/"), "timeout": "500ms"}});
    let station =
        hooked(&json!({"COMPLETED": [webhook]})).set("supervisor.health_interval", "500ms").start();
    done(&station);
    let health = eventually("the daemon is degraded", || {
        let health = station.local().get("/api/v1/daemons/hooks").expect(200)["health"].clone();
        (health["status"] == "degraded").then_some(health)
    });
    let message = health["message"].as_str().unwrap();
    assert!(
        message.contains("COMPLETED[0] has failed 3 times: no answer within 0.5 s"),
        "{message}"
    );
    server.mood(Mood::Answers(200, ""));
    station.await_run("COMPLETED[0]", "SUCCEEDED");
    eventually("the daemon is well", || {
        let health = station.local().get("/api/v1/daemons/hooks").expect(200)["health"].clone();
        (health["status"] == "healthy").then_some(())
    });
}

/// A key and a certificate for a server here; none without a program to make them with.
fn certified(home: &Path, of_an_authority: bool) -> Option<(PathBuf, PathBuf)> {
    let name = |end: &str| home.join(format!("{of_an_authority}-{end}.pem"));
    let (key, certificate) = (name("key"), name("certificate"));
    let authority = if of_an_authority { "TRUE" } else { "FALSE" };
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=workshop", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", &format!("basicConstraints=critical,CA:{authority}")])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if made.is_ok_and(|output| output.status.success()) {
        return Some((key, certificate));
    }
    eprintln!("skipped: there is no openssl to make a certificate with");
    None
}

#[test]
fn a_server_behind_tls_must_show_a_certificate_that_is_trusted() {
    let builder = Station::with();
    let Some((key, certificate)) = certified(builder.home(), false) else { return };
    let server = Receiver::secured(&key, &certificate, Mood::Answers(200, ""));
    let url = format!("https://{}/", server.address);
    let Some((key, authority)) = certified(builder.home(), true) else { return };
    let other = Receiver::secured(&key, &authority, Mood::Answers(200, ""));
    let wrong = format!("https://{}/", other.address);
    let hooks = json!({"COMPLETED": [
        {"webhook": {"url": url, "ca_file": certificate}},
        {"webhook": {"url": url, "retries": 0}},
        {"webhook": {"url": wrong, "ca_file": authority, "retries": 0}},
    ]});
    let station = builder.config(&json!({"hooks": hooks}).to_string()).start();
    let job = done(&station);
    station.await_run("COMPLETED[0]", "SUCCEEDED");
    let run = station.await_run("COMPLETED[1]", "FAILED");
    assert!(run["error"].as_str().unwrap().contains("certificate"), "{run}");
    let run = station.await_run("COMPLETED[2]", "FAILED");
    assert!(run["error"].as_str().unwrap().contains("make it with CA:FALSE"), "{run}");
    let posts = server.posts();
    assert_eq!((posts.len(), &posts[0].json()["job_id"]), (1, &json!(job)));
}
