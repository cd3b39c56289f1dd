//! What is found in files for plotters.

use super::*;

fn plotter(single_pen: bool, text: &str) -> Analysis {
    on(&[Machine { single_pen, ..Machine::unknown("hpgl") }], text)
}

#[test]
fn a_stroke_reaches_where_it_begins() {
    let found = plotter(false, "IN;SP1;PU0,0;PD100,100;PU;");
    assert_eq!((found.min, found.max), (Some([0.0; 3]), Some([2.5, 2.5, 0.0])));
    let travels = plotter(false, "IN;SP1;PU400,400;PU;");
    assert_eq!((travels.min, travels.max), (Some([10.0, 10.0, 0.0]), Some([10.0, 10.0, 0.0])));
    let ebb = on(&[Machine::unknown("ebb")], "SP,0\nXM,100,80,80\nSP,1\n");
    assert_eq!(ebb.min.map(|at| [at[0], at[2]]), Some([0.0, 0.0]));
    assert_eq!(ebb.max.map(|at| at[0]), Some(1.0));
}

#[test]
fn a_person_who_changes_the_pens_is_a_stop() {
    let text = "IN;SP1;PU0,0;PD100,100;PU;SP2;PD0,0;PU;SP2;SP0;SP3;PD9,9;SP0;";
    let stop = |line, message: &str| Stop {
        line,
        message: message.to_owned(),
        alone: false,
        layer: false,
    };
    let stops = [stop(6, "put pen 2 into the holder"), stop(11, "put pen 3 into the holder")];
    assert_eq!(plotter(true, text).stops, stops);
    assert_eq!(plotter(false, text).stops, []);
}
