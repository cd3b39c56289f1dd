//! Daemons that fit together, and all the ways in which they may not.

use super::*;

/// A daemon with what it depends on, owned.
#[derive(Clone)]
struct Given {
    name: String,
    enabled: bool,
    restart: RestartMode,
    depends_on: Vec<Dependency>,
}

fn given(of: &[(&str, &[&str])]) -> Vec<Given> {
    of.iter()
        .map(|(name, on)| Given {
            name: (*name).to_owned(),
            enabled: true,
            restart: RestartMode::OnFailure,
            depends_on: on.iter().copied().map(Dependency::on).collect(),
        })
        .collect()
}

fn plan(of: &[Given]) -> Result<Plan, Vec<(usize, Misfit)>> {
    let node = |it: &Given| -> Node<'_> {
        let Given { name, enabled, restart, depends_on } = it;
        // Lives as long as what was given.
        Node {
            name: leak(name),
            enabled: *enabled,
            restart: *restart,
            depends_on: depends_on.clone().leak(),
        }
    };
    Plan::new(&of.iter().map(node).collect::<Vec<_>>())
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn order(of: &[(&str, &[&str])]) -> Vec<String> {
    let all = given(of);
    plan(&all).unwrap().order.into_iter().map(|at| all[at].name.clone()).collect()
}

fn lines(of: &[Given]) -> String {
    let problems = plan(of).unwrap_err();
    let line = |(index, misfit): &(usize, Misfit)| format!("{index}: {misfit}");
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
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
fn every_problem_is_reported_at_once_with_its_place() {
    let mut all = given(&[
        ("job-queue", &[]),
        ("JOB_QUEUE", &[]),
        ("device-manager", &["job-que", "zebra"]),
        ("a", &["b"]),
        ("b", &["c"]),
        ("c", &["a"]),
        ("self", &["self"]),
        ("sync", &["metrics"]),
        ("metrics", &[]),
        ("report", &["heartbeat"]),
        ("heartbeat", &[]),
    ]);
    all[8].enabled = false;
    all[9].depends_on[0].condition = Condition::Completed;
    all[10].restart = RestartMode::Always;
    insta::assert_snapshot!(lines(&all), @r#"
    1: daemon "JOB_QUEUE" has the same name as "job-queue"
    2: daemon "device-manager" depends on "job-que", which does not exist, did you mean "job-queue"?
    2: daemon "device-manager" depends on "zebra", which does not exist
    7: daemon "sync" depends on "metrics", which is disabled
    9: daemon "report" waits until "heartbeat" is completed, which is always restarted
    3: daemons depend on each other: a -> b -> c -> a
    6: daemons depend on each other: self -> self
    "#);
}

#[test]
fn a_disabled_daemon_may_depend_on_a_disabled_one() {
    let mut all = given(&[("a", &["b"]), ("b", &[])]);
    all[1].enabled = false;
    assert!(plan(&all).is_err());
    all[0].enabled = false;
    assert!(plan(&all).is_ok());
}

#[test]
fn what_is_not_required_need_not_be_there_but_comes_first_if_it_is() {
    let mut all = given(&[("a", &["b", "nobody"]), ("b", &[])]);
    all[1].enabled = false;
    for dependency in &mut all[0].depends_on {
        dependency.required = false;
    }
    let found = plan(&all).unwrap();
    assert_eq!(found.order, [1, 0]);
    let edge = Edge { on: 1, condition: Condition::Started, required: false };
    assert_eq!(found.dependencies, [vec![edge], vec![]]);
    assert_eq!(found.closure([0]), [0], "and is not started for its sake");
}

#[test]
fn some_bring_along_all_that_they_need() {
    let all = given(&[("d", &["b", "c"]), ("c", &["a"]), ("b", &["a"]), ("a", &[]), ("x", &[])]);
    let plan = plan(&all).unwrap();
    let sorted = |wanted: &[usize]| {
        let mut found = plan.closure(wanted.iter().copied());
        found.sort_unstable();
        found
    };
    assert_eq!(sorted(&[0]), [0, 1, 2, 3]);
    assert_eq!(sorted(&[2, 4]), [2, 3, 4]);
    assert_eq!(sorted(&[]), [0; 0]);
}

#[test]
fn a_chain_of_a_thousand_is_no_trouble() {
    let names: Vec<String> = (0..1000).map(|n| format!("d{n}")).collect();
    let on: Vec<Vec<&str>> =
        (0..1000).map(|n| names.get(n + 1).map(String::as_str).into_iter().collect()).collect();
    let of: Vec<(&str, &[&str])> =
        names.iter().zip(&on).map(|(name, on)| (name.as_str(), on.as_slice())).collect();
    let order = order(&of);
    assert_eq!((order[0].as_str(), order[999].as_str()), ("d999", "d0"));
}
