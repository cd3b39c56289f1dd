//! Status reports: `<State|MPos:x,y,z|Bf:planner,rx|FS:feed,speed|WCO:x,y,z|…>` (gnea/grbl,
//! interface.md).

use crate::domain::{Axes, Position};

/// The machine's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing moves.
    Idle,
    /// Motion.
    Run,
    /// A hold; true once it stands.
    Hold(bool),
    /// The safety door; true once it stands.
    Door(bool),
    /// A jog.
    Jog,
    /// The way home.
    Home,
    /// Locked.
    Alarm,
    /// Lines are checked and not carried out.
    Check,
    /// Asleep: nothing but a reset wakes it.
    Sleep,
}

impl State {
    fn of(text: &str) -> Option<Self> {
        let (name, number) = text.split_once(':').unwrap_or((text, "0"));
        Some(match name {
            "Idle" => Self::Idle,
            "Run" => Self::Run,
            "Hold" => Self::Hold(number == "0"),
            // Door:2 is still retracting, Door:3 resuming; 0 and 1 stand.
            "Door" => Self::Door(matches!(number, "0" | "1")),
            "Jog" => Self::Jog,
            "Home" => Self::Home,
            "Alarm" => Self::Alarm,
            "Check" => Self::Check,
            "Sleep" => Self::Sleep,
            _ => return None,
        })
    }

    /// True while something may move.
    pub(super) fn moves(self) -> bool {
        matches!(self, Self::Run | Self::Jog | Self::Home | Self::Hold(false) | Self::Door(false))
    }
}

/// One report, as far as it is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) state: State,
    machine: Option<Axes>,
    work: Option<Axes>,
    offset: Option<Axes>,
    /// Free planner blocks.
    pub(super) planner_free: Option<u64>,
}

impl Report {
    /// `None` if it is not whole: line noise.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split('|');
        let state = State::of(fields.next()?)?;
        let mut report =
            Self { state, machine: None, work: None, offset: None, planner_free: None };
        for field in fields {
            let (name, value) = field.split_once(':')?;
            match name {
                "MPos" => report.machine = Some(axes(value)?),
                "WPos" => report.work = Some(axes(value)?),
                "WCO" => report.offset = Some(axes(value)?),
                "Bf" => report.planner_free = value.split(',').next()?.parse().ok(),
                _ => {}
            }
        }
        Some(report)
    }

    /// Stands still with nothing left to do, at this place in machine coordinates. All zero is what
    /// a machine says that has just been switched on: that is no place.
    pub(super) fn stands(&self, blocks: u64) -> Option<Axes> {
        let done = self.state == State::Idle && self.planner_free.is_none_or(|free| free >= blocks);
        self.machine.filter(|place| done && place.iter().any(|axis| *axis != 0.0))
    }

    /// The position in work coordinates; `offset` remembers what only some reports say.
    pub(super) fn position(&self, offset: &mut Axes) -> Option<Position> {
        if let Some(new) = self.offset {
            *offset = new;
        }
        let [x, y, z] = match (self.work, self.machine) {
            (Some(work), _) => work,
            (None, Some(machine)) => std::array::from_fn(|axis| machine[axis] - offset[axis]),
            (None, None) => return None,
        };
        Some(Position { x, y, z })
    }
}

fn axes(text: &str) -> Option<Axes> {
    let mut axes = [0.0; 3];
    let mut numbers = text.split(',').map(|number| number.parse::<f64>().ok());
    for axis in &mut axes {
        *axis = numbers.next()??;
        if !axis.is_finite() {
            return None;
        }
    }
    Some(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_work_coordinates() {
        let mut offset = [0.0; 3];
        let report =
            Report::parse("Run|MPos:10.0,5.0,-1.0|Bf:15,127|FS:0,0|WCO:1.0,2.0,3.0").unwrap();
        assert_eq!((report.state, report.planner_free), (State::Run, Some(15)));
        assert_eq!(report.position(&mut offset), Some(Position { x: 9.0, y: 3.0, z: -4.0 }));
        let next = Report::parse("Hold:0|MPos:10.0,5.0,-1.0|FS:0,0").unwrap();
        assert_eq!(next.position(&mut offset), Some(Position { x: 9.0, y: 3.0, z: -4.0 }));
        assert_eq!(next.state, State::Hold(true));
        let work = Report::parse("Door:2|WPos:1,2,3").unwrap();
        assert_eq!((work.state, work.position(&mut offset).unwrap().z), (State::Door(false), 3.0));
    }

    #[test]
    fn noise_is_no_report() {
        for text in
            ["", "Idle|MPos:1,2", "Idle|MPos:1,2,x", "Idle|MPos:NaN,0,0", "Idle|x", "What|FS:0,0"]
        {
            assert_eq!(Report::parse(text), None, "{text}");
        }
    }
}
