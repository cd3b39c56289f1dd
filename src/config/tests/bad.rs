//! A table of bad configurations with exactly what is said about each.

use insta::assert_snapshot;

use super::Bench;

/// Everything that is said about each of some configurations, a line each, `| ` before.
fn said(cases: &[&str]) -> String {
    let said = cases.iter().map(|yaml| {
        let shown = if yaml.len() > 300 { "…" } else { yaml.trim_matches('\n') };
        let report = Bench::new(yaml).report().replace('\n', "\n| ");
        format!("{shown}\n| {report}\n")
    });
    said.collect()
}

#[test]
fn unknown_keys_have_a_nearest_one() {
    let report = said(&[
        "websocket: {prot: 1}",
        "web_socket: {port: 1}",
        "max_connections: 5",
        "websocket.port: 80",
        "supervisor: {restart: {max_restart: 1}}",
        "device: {drivr: grbl, driver: grbl, port: /dev/a}",
        "security: {tls: {cert: a.pem}}",
        "hooks: {COMPLETED: [{comand: [a]}]}",
        "8: 9",
    ]);
    assert_snapshot!(report);
}

#[test]
fn values_are_checked_one_by_one() {
    let report = said(&[
        "websocket: {port: fast}",
        "websocket: {port: 70000}",
        "websocket: {port: -1}",
        "websocket: {port: 1.5}",
        "websocket: {port: }",
        "websocket: {port: [1]}",
        "websocket: {enabled: 1}",
        "websocket: {max_connections: 0}",
        "websocket: {host: 'http://a'}",
        "websocket: {allowed_origins: ['*', 'https://a/b']}",
        "websocket: {allowed_origins: https://a}",
        "websocket: {heartbeat_interval: 5 parsecs}",
        "websocket: {heartbeat_interval: 0}",
        "websocket: {heartbeat_interval: -5s}",
        "websocket: {api_key: 12345}",
        "websocket: {api_key: two words}",
        "websocket: {api_key: 'env:NOTHING', authenticate: true}",
        "websocket: 8766",
        "station: {name: a/b}",
        "station: {name: 17}",
        "station: {name: \"two\\nlines\"}",
        "logging: {level: loud}",
        "logging: {max_size: 10XB}",
        "logging: {max_size: 1}",
        "logging: {format: '%(lineno)s'}",
        "logging: {modules: {store: 5}}",
        "logging: {modules: debug}",
        "logging: {rotate: never}",
        "database: {url: 'postgres://host/db'}",
        "database: {url: 'sqlite:///:memory:'}",
        "database: {synchronous: of}",
        "heartbeat: {mode: 0644}",
        "heartbeat: {mode: 644}",
        "heartbeat: {mode: '0999'}",
        "heartbeat: {mode: '0444'}",
        "supervisor: {restart: {jitter: 2}}",
        "supervisor: {restart: {backoff_factor: .nan}}",
        "simulator: {speed: -1}",
        "queue: {max_file_size: 0}",
        "ops: {listen: here}",
    ]);
    assert_snapshot!(report);
}

#[test]
fn devices_and_targets_are_checked() {
    let report = said(&[
        "devices: {name: a}",
        "devices: [a]",
        "devices: [ ]\ndevice: {driver: grbl, port: /dev/a}",
        "devices: [{name: a}, null]",
        "devices: [{name: a, driver: grbl, port: /dev/a}, {name: [], driver: grbl, port: b}]",
        "device: {driver: line, port: sim:hpgl, line: {ack: '(', eol: lfcr}}",
        "device: {driver: laser, port: ttyUSB0}",
        "device: {driver: grbl, port: 'tcp://host'}",
        "device: {driver: grbl, port: /dev/a, envelope: {x: 0, y: -1}}",
        "device: {driver: grbl, port: /dev/a, envelope: {x: 1}}",
        "device: {driver: grbl, port: /dev/a, start_lines: G21}",
        "device: {driver: grbl, port: /dev/a, deny: ['M 5'], motion: {acceleration: 0, jerk: 1}}",
        "device: {driver: grbl, port: /dev/a, baud_rate: 9}",
        "devices:\n- {name: my_plotter, driver: grbl, port: /dev/a}\n- {name: My-Plotter, driver: grbl, port: /dev/a}",
        "sync: {targets: [{name: a, url: 's3://bucket'}]}",
        "sync: {targets: [/mnt/a, /srv/a]}",
        "sync: {targets: [workspace/copies]}",
        "sync: {targets: ['s3://bucket', {path: /mnt}]}",
    ]);
    assert_snapshot!(report);
}

#[test]
fn values_are_checked_together() {
    let report = said(&[
        "websocket: {host: 0.0.0.0}",
        "websocket: {host: '::'}\nsecurity: {allow_unauthenticated: true}",
        "websocket: {host: bench.local, authenticate: true}",
        "websocket: {authenticate: true}",
        "websocket: {api_key: swordfish}",
        "websocket: {host: 0.0.0.0, enabled: false}",
        "supervisor: {restart: {backoff_base: 1m}}",
        "metrics: {history: 1s, interval: 2s}",
        "station: {socket_path: /0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789}",
    ]);
    assert_snapshot!(report);
}

#[test]
fn what_has_no_effect_is_said() {
    let report = said(&[
        "ops: {listen: 8790}\nfleet: {enabled: false, name: mine}\nstation: {max_memory: 1GB}",
        "daemons: [{name: a, command: [/bin/sh], critical: maybe}]",
        "daemons: [{name: a}]",
        "profiles: {studio: [sync]}\nfleet: {url: 'nats://a'}",
        "security: {tls: {enabled: true}, tokens_file: /a}\nwatchdog: {interval: 10s}",
    ]);
    assert_snapshot!(report);
}

#[test]
fn hooks_are_checked() {
    let report = said(&[
        "hooks: {COMPLETED: [{command: [/bin/sh, '{job_name}', '{}']}, {websocket: true}]}",
        "hooks: {COMPLETE: [{websocket: true}], 'device:ilde': [], x: []}",
        "hooks: {FAILED: [{}], failed: [{websocket: true}]}",
        "hooks: {FAILED: [{webhook: 'http://a', websocket: true}, {websocket: false}, {command: []}]}",
        "hooks: {FAILED: [{command: [no-such-program]}, {command: ['{job_name}']}, {script: nothing}]}",
        "hooks: {FAILED: [{webhook: 'ftp://a'}, {webhook: 'https://a:b@c'}, {webhook: {secret: x}}]}",
        "hooks: {FAILED: [{webhook: {url: 'https://a', retires: 3, headers: {'a b': c}}}]}",
        "hooks: {FAILED: [{webhook: {url: 'https://a', headers: {'a b': c}, ca_file: none.pem}}]}",
        "hooks: {FAILED: [{daemon: snyc, do: restart}, {daemon: sync}, {do: now, websocket: true}]}",
        "hooks: {FAILED: [{daemon: metrics, do: now}, {daemon: hooks, do: stop}]}",
        "hooks: {'daemon:FAILED': [{websocket: true, on_fail: abort_job, when: {job_name: a, device: b}}]}",
        "hooks: {FAILED: [{command: [/bin/sh, '{job_nam}'], timeout: 5ms, on_fail: stop}]}",
    ]);
    assert_snapshot!(report);
}

#[test]
fn yaml_itself_is_checked() {
    let deep = format!("a: {}", "[".repeat(100));
    let wide = format!("a: [{}]", "1,".repeat(200_000));
    let aliases = format!("a: &a 1\nb: [{}]", "*a,".repeat(65));
    let mut laughs = "a0: &a0 [1,1,1,1,1,1,1,1]\n".to_owned();
    for n in 1..8 {
        let previous = vec![format!("*a{}", n - 1); 8].join(",");
        laughs = format!("{laughs}a{n}: &a{n} [{previous}]\n");
    }
    let large = "#".repeat((1 << 20) + 1);
    let report = said(&[
        "a: [1",
        "a: b: c",
        "\ta: 1",
        "a: *nothing",
        "a: &a [*a]",
        "a: !secret b",
        "? [a]\n: b",
        "a: 1\n---\nb: 2",
        "a: \"\u{1}\"",
        "just a text",
        "[websocket]",
        "websocket:\n  port: 1\n  host: localhost\n  port: 2",
        "websocket: {port: 1}\nwebsocket: {port: 2}",
        "logging: {modules: {a: info, a: debug}}",
        "websocket: {<<: {port: 1}}",
        &deep,
        &wide,
        &aliases,
        &laughs,
        &large,
    ]);
    assert_snapshot!(report);
    let bench = Bench::new("");
    bench.write("s.yaml", b"station:\n  name: caf\xe9\n");
    let report = bench.report();
    assert_snapshot!(report);
}

#[test]
fn everything_is_said_at_once() {
    let bench = Bench::new("websocket:\n  prot: 1\n  host: 0.0.0.0\nqueue: {retention: soon}\n")
        .env("STATIOND_WEBSOCKET__PORT", "fast")
        .env("STATIOND_WEBSOCKET_PORT", "1")
        .env("STATIOND_DEVICES", "[{name: a")
        .set("queue.retension=5d")
        .set("queue")
        .set("devices[3].port=/dev/b");
    bench.write("conf.d/a.yaml", "logging:\n  level: loud");
    bench.write("conf.d/b.yaml", "a: [");
    let report = bench.report();
    assert_snapshot!(report);
    let bench = Bench {
        sources: bench.sources.clone().flag("--port", "websocket.port", Some("x")),
        ..Bench::new("")
    };
    assert!(bench.report().contains("--port: error: websocket.port: \"x\" is of the wrong type"));
}
