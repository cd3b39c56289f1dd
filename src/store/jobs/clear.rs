//! Whether a job may start on the machine that asks for one: looked at again right before it does,
//! whatever was found and decided earlier.

use crate::domain::{Analysis, Envelope, Finding, Job, Light};

/// A free machine that asks for a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimant {
    /// What people call it.
    pub name: String,
    /// The protocol it speaks.
    pub driver: String,
    /// How far it reaches; none is no check.
    pub envelope: Option<Envelope>,
    /// The other machines of this driver, and how far they reach.
    pub others: Vec<(String, Option<Envelope>)>,
}

/// What is to become of a job that a machine asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clearance {
    /// It may start.
    Go,
    /// Not here, but another machine may take it.
    Elsewhere,
    /// A person must decide, for this reason.
    Hold(String),
}

/// Judges a device job. `bound`: it is for this machine and no other.
pub(super) fn clear(job: &Job, machine: &Claimant, bound: bool) -> Clearance {
    let Some(analysis) = &job.analysis else { return Clearance::Go };
    let red = analysis.verdict == Light::Red;
    let here = against(analysis, &machine.name, machine.envelope.as_ref());
    if here.is_none() && !red {
        return Clearance::Go;
    }
    let fits = |(name, envelope): &(String, Option<Envelope>)| {
        against(analysis, name, envelope.as_ref()).is_none()
    };
    if here.is_some() && !bound && machine.others.iter().any(fits) {
        return Clearance::Elsewhere;
    }
    if job.forced {
        return Clearance::Go;
    }
    Clearance::Hold(here.or_else(|| analysis.reason()).unwrap_or_default())
}

/// What speaks against running it on this machine as it is configured now.
fn against(analysis: &Analysis, name: &str, envelope: Option<&Envelope>) -> Option<String> {
    if let (Some(envelope), Some(min), Some(max)) = (envelope, analysis.min, analysis.max)
        && let Some(how) = envelope.left_by(min, max)
    {
        return Some(format!("leaves the envelope of {name}: {how}"));
    }
    let found = analysis.of_device(name).filter(|it| it.verdict == Light::Red)?;
    // An envelope that has been changed since then is judged above.
    let others = |it: &&Finding| it.severity == Light::Red && it.code != "envelope";
    found.problems.iter().find(others).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{DeviceVerdict, JobId, JobState, NewJob, Timestamp},
        store::{
            Store,
            jobs::{Change, claim_for_device, force, get, insert, transition},
            tests::{drawing, fresh, write},
        },
    };

    /// A file for any machine of the driver that goes this far along X.
    fn reaching(x: f64) -> NewJob {
        let (min, max) = (Some([0.0; 3]), Some([x, 10.0, 0.0]));
        let analysis = Analysis { lines: 1, min, max, ..Analysis::default() };
        NewJob { analysis: Some(analysis), ..drawing(None, Some("grbl")) }
    }

    fn red(job: NewJob) -> NewJob {
        let problem = Finding {
            severity: Light::Red,
            line: Some(3),
            code: "denied-command".to_owned(),
            message: "M502 is denied".to_owned(),
            count: 1,
        };
        let mut analysis = job.analysis.clone().unwrap_or_default();
        (analysis.verdict, analysis.problems) = (Light::Red, vec![problem]);
        NewJob { analysis: Some(analysis), ..job }
    }

    fn envelope(x: f64) -> Envelope {
        Envelope { x, y: 100.0, z: None }
    }

    fn machine(name: &str, x: f64, others: &[(&str, f64)]) -> Claimant {
        Claimant {
            name: name.to_owned(),
            driver: "grbl".to_owned(),
            envelope: Some(envelope(x)),
            others: others
                .iter()
                .map(|(name, x)| ((*name).to_owned(), Some(envelope(*x))))
                .collect(),
        }
    }

    fn submit(store: &Store, job: NewJob) -> JobId {
        write(store, move |tx| insert(tx, &job)).job.id
    }

    fn claim(store: &Store, machine: &Claimant) -> Option<JobId> {
        let machine = machine.clone();
        write(store, move |tx| claim_for_device(tx, &machine, false, Timestamp::now()))
            .map(|it| it.id)
    }

    fn job(store: &Store, id: JobId) -> Job {
        store.read(|connection| get(connection, id)).unwrap()
    }

    #[test]
    fn a_machine_is_passed_over_for_what_it_cannot_reach() {
        let (_dir, store) = fresh();
        let wide = submit(&store, reaching(250.0));
        let narrow = submit(&store, reaching(50.0));
        let small = machine("small", 100.0, &[("large", 300.0)]);
        let large = machine("large", 300.0, &[("small", 100.0)]);
        assert_eq!(claim(&store, &small), Some(narrow), "the first job is not for it");
        assert_eq!(job(&store, wide).state, JobState::Queued);
        assert_eq!(claim(&store, &large), Some(wide));
    }

    #[test]
    fn what_no_machine_reaches_waits_for_a_person_who_may_insist() {
        let (_dir, store) = fresh();
        let wide = submit(&store, reaching(400.0));
        let small = machine("small", 100.0, &[("large", 300.0)]);
        assert_eq!(claim(&store, &small), None);
        let held = job(&store, wide);
        assert_eq!(held.state, JobState::Held);
        assert!(held.error.unwrap().contains("X goes 300.000 mm beyond 100"));
        write(&store, move |tx| {
            force(tx, wide)?;
            transition(tx, wide, JobState::Queued, Change::because("release"))
        });
        assert_eq!(claim(&store, &small), Some(wide));
    }

    #[test]
    fn a_red_job_is_held_at_once_and_again_at_every_claim() {
        let (_dir, store) = fresh();
        let id = submit(&store, red(reaching(50.0)));
        let held = job(&store, id);
        assert_eq!(held.state, JobState::Held);
        assert_eq!(held.error.unwrap(), "held by the preflight check: line 3: M502 is denied");
        // Somehow it came into the queue.
        let to =
            |state| write(&store, move |tx| transition(tx, id, state, Change::because("test")));
        to(JobState::Queued);
        let mill = machine("mill", 100.0, &[]);
        assert_eq!(claim(&store, &mill), None);
        assert_eq!(job(&store, id).state, JobState::Held);
        let forced = submit(&store, NewJob { forced: true, ..red(reaching(50.0)) });
        assert_eq!(claim(&store, &mill), Some(forced));
        assert!(job(&store, forced).forced && !job(&store, id).forced);
    }

    #[test]
    fn policy_is_each_machines_own_and_an_envelope_that_grew_is_enough() {
        let mut new = reaching(250.0);
        let verdict = |device: &str, code: &str| DeviceVerdict {
            device: device.to_owned(),
            verdict: Light::Red,
            problems: vec![Finding {
                severity: Light::Red,
                line: Some(1),
                code: code.to_owned(),
                message: "no".to_owned(),
                count: 1,
            }],
        };
        new.analysis.as_mut().unwrap().devices =
            vec![verdict("strict", "denied-command"), verdict("grown", "envelope")];
        let (_dir, store) = fresh();
        let id = submit(&store, new);
        assert_eq!(claim(&store, &machine("strict", 300.0, &[("grown", 300.0)])), None);
        assert_eq!(claim(&store, &machine("grown", 300.0, &[])), Some(id));
    }
}
