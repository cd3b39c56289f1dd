//! Which machine a file is for.

use super::{error::Problem, settings::Target};
use crate::{
    domain::{Machine, same_name},
    toolpath::FileKind,
};

/// Where a job may run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placement {
    /// The machine, if it must be this one.
    pub(super) device: Option<String>,
    /// The protocol.
    pub(super) driver: String,
    /// A machine it may run on wants a person's word first.
    pub(super) confirm: bool,
    /// The machines it may run on.
    pub(super) machines: Vec<Machine>,
}

impl Placement {
    fn on(target: &Target) -> Self {
        let machine = target.machine.clone();
        Self {
            device: Some(machine.name.clone()),
            driver: machine.driver.clone(),
            confirm: target.require_confirmation,
            machines: vec![machine],
        }
    }
}

/// Finds the place for a file of `kind`; a refusal names the choices.
pub(super) fn place(
    kind: FileKind,
    device: Option<&str>,
    driver: Option<&str>,
    targets: &[Target],
) -> Result<Placement, Problem> {
    if let Some(name) = device {
        let target = targets.iter().find(|target| same_name(&target.machine.name, name));
        let Some(target) = target else {
            let names = list(targets.iter().map(|target| target.machine.name.as_str()));
            let hint = format!("no device is called \"{name}\": there is {names}");
            return Err(Problem::field("device", hint));
        };
        let Machine { name, driver: its, .. } = &target.machine;
        if driver.is_some_and(|driver| !driver.eq_ignore_ascii_case(its)) {
            let hint = format!("device \"{name}\" has the driver {its}");
            return Err(Problem::field("driver", hint));
        }
        if !kind.suits(its) {
            let (kind, taken) = (kind.as_str(), FileKind::taken_by(its));
            let hint =
                format!("device \"{name}\" ({its}) does not take {kind} files: it takes {taken}");
            return Err(Problem::field("device", hint));
        }
        return Ok(Placement::on(target));
    }
    let fits = |target: &&Target| {
        let its = &target.machine.driver;
        match driver {
            Some(driver) => kind.suits(its) && driver.eq_ignore_ascii_case(its),
            None => kind.drivers().contains(&its.as_str()),
        }
    };
    let mut fitting: Vec<&Target> = targets.iter().filter(fits).collect();
    // Those that take it as it is come first; that it is drawn by others has to be said.
    let as_it_is = |target: &&Target| !kind.is_converted_for(&target.machine.driver);
    if fitting.iter().any(as_it_is) {
        fitting.retain(as_it_is);
    }
    let Some(first) = fitting.first() else {
        let (field, with) = match driver {
            Some(driver) => ("driver", format!(" with the driver {driver}")),
            None => ("device", String::new()),
        };
        let kind = kind.as_str();
        let hint = format!("there is no device{with} that takes {kind} files");
        return Err(Problem::field(field, hint));
    };
    if fitting.iter().any(|target| target.machine.driver != first.machine.driver) {
        let names = list(fitting.iter().map(|target| target.machine.name.as_str()));
        let hint = format!("several machines take {} files, name one: {names}", kind.as_str());
        return Err(Problem::field("device", hint));
    }
    // It is converted with the settings of one machine and fits no other.
    if kind.is_converted_for(&first.machine.driver) {
        return Ok(Placement::on(first));
    }
    Ok(Placement {
        device: None,
        driver: first.machine.driver.clone(),
        confirm: fitting.iter().any(|target| target.require_confirmation),
        machines: fitting.iter().map(|target| target.machine.clone()).collect(),
    })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PlotOptions;

    fn target(name: &str, driver: &str, require_confirmation: bool) -> Target {
        let machine = Machine { name: name.to_owned(), ..Machine::unknown(driver) };
        Target { machine, require_confirmation, plot: PlotOptions::default() }
    }

    fn found(
        device: Option<&str>,
        driver: Option<&str>,
        targets: &[Target],
    ) -> Result<(Option<String>, bool), String> {
        place(FileKind::Gcode, device, driver, targets)
            .map(|it| (it.device, it.confirm))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_only_driver_is_found_and_leaves_the_machine_open() {
        let targets =
            [target("a", "grbl", false), target("b", "grbl", true), target("c", "ebb", false)];
        assert_eq!(found(None, None, &targets), Ok((None, true)));
        assert_eq!(found(None, None, &targets[..1]), Ok((None, false)));
    }

    #[test]
    fn a_named_machine_is_kept() {
        let targets = [target("Big-Mill", "grbl", true)];
        let found = found(Some("big_mill"), Some("GRBL"), &targets);
        assert_eq!(found, Ok((Some("Big-Mill".to_owned()), true)));
    }

    #[test]
    fn a_drawing_is_bound_to_the_machine_it_is_converted_for() {
        let targets = [target("a", "grbl", false), target("b", "grbl", true)];
        let on = |kind, targets: &[Target]| {
            place(kind, None, None, targets).map(|it| (it.device, it.driver, it.confirm))
        };
        let first = (Some("a".to_owned()), "grbl".to_owned(), false);
        assert_eq!(on(FileKind::Svg, &targets).ok(), Some(first.clone()));
        assert_eq!(on(FileKind::Hpgl, &targets).ok(), Some(first));
        let both = [target("p", "ebb", false), target("a", "grbl", false)];
        let on_grbl = on(FileKind::Gcode, &both).ok();
        assert_eq!(on_grbl, Some((None, "grbl".to_owned(), false)), "its own language comes first");
        let on_ebb = on(FileKind::Gcode, &both[..1]).ok();
        assert_eq!(on_ebb, Some((Some("p".to_owned()), "ebb".to_owned(), false)));
        assert!(on(FileKind::Svg, &both).is_err(), "it is a drawing to either");
        let plotters = [target("p", "hpgl", false), target("q", "hpgl", false)];
        let open = (None, "hpgl".to_owned(), false);
        assert_eq!(on(FileKind::Hpgl, &plotters).ok(), Some(open));
        assert!(
            on(FileKind::Svg, &[target("a", "grbl", false), target("p", "hpgl", false)]).is_err()
        );
    }

    #[test]
    fn what_cannot_run_is_refused_with_the_reason() {
        let targets = [target("pen", "ebb", false), target("mill", "grbl", false)];
        for (device, driver, word) in [
            (Some("none"), None, "pen, mill"),
            (Some("mill"), Some("ebb"), "has the driver grbl"),
            (None, Some("hpgl"), "with the driver hpgl"),
        ] {
            let refusal = found(device, driver, &targets).unwrap_err();
            assert!(refusal.contains(word), "{refusal}");
        }
        let refusal = place(FileKind::Ebb, Some("mill"), None, &targets).unwrap_err().to_string();
        assert!(refusal.contains("device \"mill\" (grbl) does not take ebb files"), "{refusal}");
        assert!(found(None, None, &[]).is_err());
    }
}
