//! Daemons that fit together, and all the ways in which they may not.

use super::support::{policy, spec};
use crate::supervision::{Plan, Spec};

fn specs(of: &[(&str, &[&str])]) -> Vec<Spec> {
    of.iter().map(|(name, depends_on)| spec(name, depends_on, policy())).collect()
}

fn order(of: &[(&str, &[&str])]) -> Vec<String> {
    let specs = specs(of);
    Plan::new(&specs).unwrap().order.into_iter().map(|at| specs[at].name.clone()).collect()
}

#[test]
fn each_starts_after_what_it_depends_on_and_otherwise_as_given() {
    assert_eq!(order(&[("a", &[]), ("b", &[]), ("c", &[])]), ["a", "b", "c"]);
    assert_eq!(
        order(&[("d", &["B", "c"]), ("c", &["a_1"]), ("b", &["A-1"]), ("a-1", &[])]),
        ["a-1", "b", "c", "d"],
        "names are compared as people mean them"
    );
    assert_eq!(order(&[]), [""; 0]);
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut specs = specs(&[
        ("job-queue", &[]),
        ("JOB_QUEUE", &[]),
        ("device-manager", &["job-que", "zebra"]),
        ("a", &["b"]),
        ("b", &["c"]),
        ("c", &["a"]),
        ("self", &["self"]),
        ("sync", &["metrics"]),
        ("metrics", &[]),
    ]);
    specs[8].enabled = false;
    let problems = Plan::new(&specs).unwrap_err();
    insta::assert_snapshot!(problems.to_string().replace("; ", "\n"), @r#"
    daemon "JOB_QUEUE" has the same name as "job-queue"
    daemon "device-manager" depends on "job-que", which does not exist, did you mean "job-queue"?
    daemon "device-manager" depends on "zebra", which does not exist
    daemon "sync" depends on "metrics", which is disabled
    daemons depend on each other: a -> b -> c -> a
    daemons depend on each other: self -> self
    "#);
}

#[test]
fn a_disabled_daemon_may_depend_on_a_disabled_one() {
    let mut specs = specs(&[("a", &["b"]), ("b", &[])]);
    specs[1].enabled = false;
    assert!(Plan::new(&specs).is_err());
    specs[0].enabled = false;
    assert!(Plan::new(&specs).is_ok());
}
