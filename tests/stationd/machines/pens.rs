//! Pens that a person changes between the layers of a drawing.

use serde_json::{Value, json};
use stationd::firmware::Faults;

use super::{
    await_device,
    bench::Machine,
    plotters::{Line, assert_drawn, strokes, with_pen},
    runs::sent_lines,
    submit, with_mill,
};
use crate::support::{Builder, Station, eventually};

/// Three layers of a line each; the sheet is 100 mm high.
const THREE: &str = "<svg xmlns='http://www.w3.org/2000/svg' \
    xmlns:inkscape='http://www.inkscape.org/namespaces/inkscape' width='200mm' height='100mm' \
    viewBox='0 0 200 100' fill='none'>\
    <g inkscape:groupmode='layer' inkscape:label='frame'><path stroke='#000' d='M10 10H60'/></g>\
    <g inkscape:groupmode='layer' inkscape:label='red'><path stroke='#f00' d='M10 20H70'/></g>\
    <g inkscape:groupmode='layer' inkscape:label='blue'><path stroke='#00f' d='M10 30V80'/></g>\
    </svg>";

const RED: &str = "layer 2 of 3: \"red\" (#ff0000): change the pen";
const BLUE: &str = "layer 3 of 3: \"blue\" (#0000ff): change the pen";

const DRIVERS: [&str; 3] = ["ebb", "hpgl", "grbl"];

/// The lines of these layers on the machine.
fn lines(driver: &str, layers: &[usize]) -> Vec<Line> {
    let top = if driver == "ebb" { 218.0 } else { 100.0 };
    let all =
        [[[10.0, 10.0], [60.0, 10.0]], [[10.0, 20.0], [70.0, 20.0]], [[10.0, 30.0], [10.0, 80.0]]];
    layers.iter().map(|layer| all[*layer].map(|[x, y]| [x, top - y]).to_vec()).collect()
}

fn pen(driver: &str) -> Builder {
    with_pen(driver, &format!("sim:{driver}"), &json!({"hpgl": {"single_pen": true}}))
        .set("simulator.speed", "0")
}

#[track_caller]
fn await_stop(station: &Station, id: &str, message: &str) {
    let job = station.await_job(id, "PAUSED");
    assert_eq!(job["error"], message);
    await_device(station, "pen", "paused");
}

/// Waits until it stands at a further stop.
#[track_caller]
fn await_error(station: &Station, id: &str, message: &str) {
    eventually(&format!("it stops at {message}"), || {
        let job = station.job(id);
        (job["state"] == "PAUSED" && job["error"] == message).then_some(())
    });
}

#[track_caller]
fn assert_layers(station: &Station, driver: &str, layers: &[usize]) {
    // Z of a GRBL machine goes down to draw, which is a stroke of no length.
    let found: Vec<Line> = strokes(station, driver);
    assert_drawn(&found, &lines(driver, layers), 0.03);
}

#[test]
fn a_person_changes_the_pen_before_each_further_layer() {
    for driver in DRIVERS {
        let station = pen(driver).start();
        let id = submit(&station, "name=three.svg", THREE);
        await_stop(&station, &id, RED);
        assert_layers(&station, driver, &[0]);
        let messages: Vec<Value> = station.job(&id)["analysis"]["stops"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stop| stop["message"].clone())
            .collect();
        assert_eq!(messages, [RED, BLUE]);
        station.cli(["job", "resume", &id]).exited(0);
        let path = format!("/api/v1/events?resource=job:{id}&type=job_state_change&limit=100");
        await_error(&station, &id, BLUE);
        assert_layers(&station, driver, &[0, 1]);
        station.act(&id, "resume").expect(200);
        let job = station.await_job(&id, "COMPLETED");
        assert_eq!(job["error"], Value::Null);
        assert_eq!(job["lines_acknowledged"], job["lines_total"]);
        assert_layers(&station, driver, &[0, 1, 2]);
        let events = station.local().get(&path).expect(200);
        let went_on = events["items"].as_array().unwrap().iter();
        let who: Vec<&Value> = went_on
            .filter(|it| it["from_state"] == "PAUSED" && it["to_state"] == "RUNNING")
            .map(|it| &it["metadata"]["actor"])
            .collect();
        assert_eq!(who.len(), 2);
        assert!(who.iter().all(|actor| actor.is_string()), "who changed the pen: {who:?}");
    }
}

#[test]
fn a_layer_that_is_skipped_leaves_the_others_where_they_are() {
    for driver in DRIVERS {
        let station = pen(driver).start();
        let id = submit(&station, "", THREE);
        await_stop(&station, &id, RED);
        station.cli(["job", "skip", &id]).exited(0);
        await_error(&station, &id, BLUE);
        station.act(&id, "resume").expect(200);
        station.await_job(&id, "COMPLETED");
        assert_layers(&station, driver, &[0, 2]);

        // The last one too; and the next job begins at the origin as ever.
        let id = submit(&station, "", THREE);
        await_stop(&station, &id, RED);
        station.act(&id, "skip").expect(200);
        await_error(&station, &id, BLUE);
        station.act(&id, "skip").expect(200);
        station.await_job(&id, "COMPLETED");
        let both = lines(driver, &[0, 2, 0]);
        assert_drawn(&strokes(&station, driver), &both, 0.03);
    }
}

#[test]
fn a_skip_leaves_out_one_layer_and_says_which() {
    let fourth = "<g inkscape:groupmode='layer' inkscape:label='last'>\
        <path stroke='#0f0' d='M10 90H40'/></g></svg>";
    let file = THREE.replace("'blue'", "'!blue'").replace("</svg>", fourth);
    for driver in DRIVERS {
        let settings = json!({
            "hpgl": {"single_pen": true},
            "plot": {"stop_between_layers": false},
        });
        let station = with_pen(driver, &format!("sim:{driver}"), &settings)
            .set("simulator.speed", "0")
            .start();
        let id = submit(&station, "", &file);
        station.await_job(&id, "PAUSED");
        station.cli(["job", "skip", &id]).exited(0);
        station.await_job(&id, "COMPLETED");
        let top = if driver == "ebb" { 218.0 } else { 100.0 };
        let mut wanted = lines(driver, &[0, 1]);
        wanted.push([[10.0, top - 90.0], [40.0, top - 90.0]].to_vec());
        assert_drawn(&strokes(&station, driver), &wanted, 0.03);
        let shown = station.cli(["job", "show", "--history", &id]).exited(0).stdout;
        assert!(shown.contains("layer 3 of 4") && shown.contains("was left out"), "{shown}");
    }
}

#[test]
fn a_stop_where_no_layer_begins_cannot_be_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let mill = Machine::serial(directory.path(), 10.0, Faults::default());
    let station = with_mill(&mill.port).start();
    let lines = ["G21", "G90", "G0 X1 Y1", "M0", "G91", "G0 Z5", "G1 X5 F1000", "G90", "G20", "M1"];
    let file = format!("{}\nG1 X1 F50\n", lines.join("\n"));
    let id = submit(&station, "", &file);
    for stop in ["M0", "M1"] {
        eventually("it stops", || (station.job(&id)["error"] == stop).then_some(()));
        let refused = station.act(&id, "skip").refused(409);
        assert!(refused.contains("where no layer begins"), "{refused}");
        let refused = station.cli(["job", "skip", &id]).exited(1);
        assert!(refused.stderr.contains(stop), "{refused:?}");
        assert_eq!(station.job(&id)["state"], "PAUSED");
        station.act(&id, "resume").expect(200);
    }
    station.await_job(&id, "COMPLETED");
    let sent = sent_lines(&mill);
    let wanted = lines.iter().filter(|line| !line.starts_with('M'));
    assert!(wanted.into_iter().all(|line| sent.iter().any(|it| it == line)), "{sent:?}");
}

#[test]
fn a_job_is_cancelled_where_a_pen_is_changed() {
    for driver in DRIVERS {
        let station = pen(driver).start();
        let id = submit(&station, "", THREE);
        await_stop(&station, &id, RED);
        assert_eq!(station.act(&id, "cancel").expect(200)["state"], "CANCELLED");
        await_device(&station, "pen", "idle");
        assert_layers(&station, driver, &[0]);
    }
}

#[test]
fn a_job_that_was_interrupted_at_a_stop_asks_again() {
    for driver in DRIVERS {
        let mut station = pen(driver).start();
        let id = submit(&station, "", THREE);
        await_stop(&station, &id, RED);
        assert_eq!(station.stop(), 0);
        station.again();
        assert_eq!(station.job(&id)["state"], "INTERRUPTED");
        await_device(&station, "pen", "idle");
        station.cli(["device", "home", "pen"]).exited(0);
        await_device(&station, "pen", "idle");
        station.cli(["job", "resume", &id, "--yes"]).exited(0);
        await_stop(&station, &id, RED);
        assert_eq!(strokes(&station, driver), [] as [Line; 0], "a new machine, still clean");
        station.act(&id, "resume").expect(200);
        await_error(&station, &id, BLUE);
        station.act(&id, "resume").expect(200);
        station.await_job(&id, "COMPLETED");
        assert_layers(&station, driver, &[1, 2]);
    }
}

#[test]
fn a_pen_that_hpgl_chooses_is_put_in_by_a_person() {
    let station = pen("hpgl").start();
    let file = "IN;SP1;PU400,400;PD1200,400;PU;SP2;PU400,800;PD1200,800;PU;SP0;";
    let id = submit(&station, "", file);
    await_stop(&station, &id, "put pen 2 into the holder");
    let stop = json!({"line": 6, "message": "put pen 2 into the holder", "alone": false,
        "layer": false});
    assert_eq!(station.job(&id)["analysis"]["stops"], json!([stop]));
    station.act(&id, "skip").refused(409);
    assert_drawn(&strokes(&station, "hpgl"), &[vec![[10.0, 10.0], [30.0, 10.0]]], 0.03);
    station.act(&id, "resume").expect(200);
    station.await_job(&id, "COMPLETED");
    let both = [vec![[10.0, 10.0], [30.0, 10.0]], vec![[10.0, 20.0], [30.0, 20.0]]];
    assert_drawn(&strokes(&station, "hpgl"), &both, 0.03);
}

#[test]
fn nobody_is_asked_where_no_person_changes_pens() {
    // A carousel has pens for all layers.
    let station = with_pen("hpgl", "sim:hpgl", &json!({})).set("simulator.speed", "0").start();
    let job = station.await_job(&submit(&station, "", THREE), "COMPLETED");
    assert_eq!(job["analysis"]["stops"], json!([]));
    assert_layers(&station, "hpgl", &[0, 1, 2]);
    for driver in DRIVERS {
        let never = json!({"plot": {"stop_between_layers": false}, "hpgl": {"single_pen": true}});
        let station =
            with_pen(driver, &format!("sim:{driver}"), &never).set("simulator.speed", "0").start();
        station.await_job(&submit(&station, "", THREE), "COMPLETED");
        assert_layers(&station, driver, &[0, 1, 2]);
    }
}

#[test]
fn a_stop_in_g_code_is_one_on_an_ebb() {
    let station = pen("ebb").start();
    let text = "G21 G90\nG0 X10 Y10\nG1 X60 F600\nM0 (put the red pen in)\nG0 X10 Y20\nG1 X70\n";
    let id = submit(&station, "name=two.nc", text);
    await_stop(&station, &id, "layer 2 of 2: \"put the red pen in\": change the pen");
    assert_drawn(&strokes(&station, "ebb"), &[vec![[10.0, 10.0], [60.0, 10.0]]], 0.03);
    station.act(&id, "resume").expect(200);
    station.await_job(&id, "COMPLETED");
    let both = [vec![[10.0, 10.0], [60.0, 10.0]], vec![[10.0, 20.0], [70.0, 20.0]]];
    assert_drawn(&strokes(&station, "ebb"), &both, 0.03);
}
