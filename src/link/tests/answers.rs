//! Answers of a machine, and what is known of it by then.

use super::*;

#[test]
fn whoever_has_an_answer_finds_the_machine_as_it_then_is() {
    let station = Station::idle(0.0);
    for _ in 0..50 {
        station.link.send("$I").blocking_recv().unwrap().unwrap();
        let statuses = station.reports.try_iter().filter_map(|report| match report {
            Report::Status { status, .. } => Some(status),
            _ => None,
        });
        let statuses: Vec<_> = statuses.collect();
        assert_eq!(statuses, [DeviceStatus::Busy, DeviceStatus::Idle]);
    }
}
