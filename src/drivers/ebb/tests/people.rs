//! What a person asks for without a job.
#![expect(clippy::float_cmp, reason = "a machine stands on whole steps")]

use super::{cases::VERSIONS, *};

#[test]
fn home_answers_when_it_is_there_and_a_jog_can_be_called_off() {
    let mut bench = Bench::ready(Faults::default());
    bench.command(Command::Jog(crate::domain::Jog { x: 100.0, feed: 600.0, ..Default::default() }));
    bench.until("it moves", |bench| bench.status() == Some(DeviceStatus::Busy));
    let soon = bench.now + Duration::from_secs(3);
    bench.until("a while", |bench| bench.now + Duration::from_secs(1) > soon);
    bench.command(Command::StopJog);
    bench.until("it stands", |bench| bench.status() == Some(DeviceStatus::Idle));
    assert!(bench.now < soon);
    bench.events.clear();
    bench.command(Command::Home);
    bench.until("it is home", |bench| bench.has(&Event::Answered(Ok(Vec::new()))));
    assert_eq!(bench.machine.drawing().moves.back().unwrap().to, [0.0, 0.0, 1.0]);
}

#[test]
fn a_console_line_collects_its_answer() {
    for version in VERSIONS {
        let mut bench = Bench::ready_with(Faults::default(), version);
        for (line, expected) in [("QC", vec!["0394,0300"]), ("qp", vec!["1"]), ("NI", vec![])] {
            bench.events.clear();
            bench.command(Command::Send(line.to_owned()));
            let lines = expected.into_iter().map(str::to_owned).collect::<Vec<_>>();
            bench.until("it answers", |bench| bench.has(&Event::Answered(Ok(lines.clone()))));
        }
        bench.command(Command::Send("SM,5".to_owned()));
        let refused = |event: &Event| {
            matches!(event, Event::Answered(Err(Refused::Machine { message, .. }))
                if message.starts_with("!4"))
        };
        bench.until("it refuses", |bench| bench.events.iter().any(refused));
        bench.command(Command::Send("NI\rNI".to_owned()));
        let refused = |event: &Event| matches!(event, Event::Answered(Err(Refused::Line(_))));
        bench.until("it is refused", |bench| bench.events.iter().any(refused));
    }
}
