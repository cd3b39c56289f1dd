//! Going on with any file in any place: the plan goes on at a line of the file, its preamble is
//! lines that the machine takes as they are, and where a machine has got to lies within the limits.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use stationd::toolpath::{Dialect, Facts, Next, Stood, Trust, plan_resume, reached};
use stationd_fuzz::{driver, lines, machine};

#[derive(Arbitrary, Debug)]
struct Interrupted<'a> {
    driver: u8,
    certain: u8,
    ahead: u8,
    trust: u8,
    position: Option<[i16; 3]>,
    start: Option<[i16; 3]>,
    stops: [u8; 2],
    file: &'a [u8],
}

fn place(of: [i16; 3]) -> [f64; 3] {
    of.map(|axis| f64::from(axis) / 10.0)
}

fuzz_target!(|input: Interrupted<'_>| {
    let driver = driver(input.driver);
    let (dialect, file) = (Dialect::of(driver), input.file);
    let reason = || "it has been off".to_owned();
    let facts = Facts {
        trust: match input.trust % 3 {
            0 => Trust::Certain,
            1 => Trust::NeedsHoming(reason()),
            _ => Trust::Untrusted(reason()),
        },
        position: input.position.map(place),
        start: input.start.map(place),
        axes: machine(driver).ebb.axes(),
        stops: input.stops.iter().map(|line| u64::from(*line)).collect(),
    };
    let certain = u64::from(input.certain);
    let most = certain + u64::from(input.ahead);
    if let Some(at) = facts.position {
        let stood = Stood { at, start: facts.start, began: facts.start };
        let found = reached(file, dialect, (certain, most), stood).unwrap();
        assert!(found.is_none_or(|lines| (certain..=most).contains(&lines)), "{found:?}");
    }
    let Ok(plan) = plan_resume(file, dialect, certain, &facts) else { return };
    let sent: Vec<u64> = lines(dialect, [file])
        .into_iter()
        .filter_map(|(next, _)| if let Next::Line(number) = next { Some(number) } else { None })
        .collect();
    let skipped = usize::try_from(plan.skip_lines).unwrap();
    assert!(skipped <= sent.len(), "{plan:?}");
    assert_eq!(plan.from_line, sent.get(skipped).copied(), "{plan:?}");
    assert!(plan.redo_lines <= certain, "{plan:?}");
    assert!(plan.last_certain_line == 0 || sent.contains(&plan.last_certain_line), "{plan:?}");
    for line in &plan.preamble {
        let taken = lines(dialect, [line.as_bytes()]);
        let whole = matches!(&taken[..], [(Next::Line(1), taken)] if taken == line.as_bytes());
        assert!(whole, "{line:?} is sent as {taken:?}");
        assert!(!line.contains("inf") && !line.contains("NaN"), "{line:?}");
    }
});
