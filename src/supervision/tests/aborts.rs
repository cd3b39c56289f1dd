//! What cannot be survived, proved on a process of its own: a destructor that panics while another
//! panic unwinds the same frames. Beside each, its nearest relative that can.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    panic::panic_any,
    process::{Command, Stdio},
    thread,
};

use actix::{Actor, Context, Handler, Message};

use super::support::{backoff, counted, eventually, first, ms, policy, spec, supervise};
use crate::supervision::{Policy, Service};

/// Panics when dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("grenade");
    }
}

/// Has a destructor that panics, and things that go with it.
#[derive(Default)]
struct Victim {
    own_drop_panics: bool,
    first: Option<Grenade>,
    _second: Option<Grenade>,
}

impl Victim {
    fn with(own_drop_panics: bool, first: Option<Grenade>, second: Option<Grenade>) -> Self {
        Self { own_drop_panics, first, _second: second }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        assert!(!self.own_drop_panics, "victim");
    }
}

impl Actor for Victim {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        assert!(!self.own_drop_panics, "stopped");
    }
}

impl Service for Victim {}

#[derive(Message)]
#[rtype(result = "()")]
struct Do(fn(), Option<Grenade>);

impl Handler<Do> for Victim {
    type Result = ();

    fn handle(&mut self, Do(work, grenade): Do, _: &mut Self::Context) {
        work();
        std::mem::forget(grenade);
    }
}

#[derive(Message)]
#[rtype(result = "bool")]
struct IsHarmless;

impl Handler<IsHarmless> for Victim {
    type Result = bool;

    fn handle(&mut self, _: IsHarmless, _: &mut Self::Context) -> bool {
        !self.own_drop_panics && self.first.is_none()
    }
}

fn boom() {
    panic!("boom");
}

fn nothing() {}

/// Builds the first incarnation, sends it `messages`, and expects a harmless replacement.
async fn supervised(build_first: fn() -> Victim, messages: Vec<Do>) {
    let (child, link) =
        counted(move |n, _| Ok(if n == 1 { build_first() } else { Victim::default() }));
    let policy = Policy { backoff: backoff(1, 1), ..policy() };
    let (supervisor, _) = supervise(vec![(spec("victim", &[], policy), child)]);
    eventually("it runs", async || link.ask(IsHarmless).await.is_ok()).await;
    link.tell(Do(|| thread::sleep(ms(50)), None)).unwrap();
    for message in messages {
        link.tell(message).unwrap();
    }
    eventually("it is replaced", async || {
        first(&supervisor).await.restarts == 1 && link.ask(IsHarmless).await == Ok(true)
    })
    .await;
}

async fn run(case: &str) {
    let harmless: fn() -> Victim = Victim::default;
    let bad: fn() -> Victim = || Victim::with(true, None, None);
    let one: fn() -> Victim = || Victim::with(false, Some(Grenade), None);
    let two: fn() -> Victim = || Victim::with(false, Some(Grenade), Some(Grenade));
    let bad_with: fn() -> Victim = || Victim::with(true, Some(Grenade), None);
    match case {
        "handler, then actor" => supervised(bad, vec![Do(boom, None)]).await,
        "handler, then field" => supervised(one, vec![Do(boom, None)]).await,
        "handler, then queued message" => {
            supervised(harmless, vec![Do(boom, None), Do(nothing, Some(Grenade))]).await;
        }
        "payload" => supervised(harmless, vec![Do(|| panic_any(Grenade), None)]).await,
        "handler and its local" => {
            let work = || {
                let _local = Grenade;
                boom();
            };
            supervised(harmless, vec![Do(work, None)]).await;
        }
        "handler and its message" => supervised(harmless, vec![Do(boom, Some(Grenade))]).await,
        "actor and its field" => supervised(bad_with, vec![Do(boom, None)]).await,
        "two fields" => supervised(two, vec![Do(boom, None)]).await,
        "actor and queued message" => {
            supervised(bad, vec![Do(boom, None), Do(nothing, Some(Grenade))]).await;
        }
        "unsupervised: handler, then stopped" => {
            let _ = bad().start().send(Do(boom, None)).await;
        }
        other => unreachable!("{other}"),
    }
}

#[actix::test]
#[ignore = "run by the test below, each case in a process of its own"]
async fn victim() {
    run(&env::var("CASE").unwrap()).await;
}

fn aborts(case: &str) -> bool {
    const SIGABRT: i32 = 6;
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "supervision::tests::aborts::victim", "--ignored"]);
    command.env("CASE", case).env("RUST_BACKTRACE", "0");
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success() || status.signal() == Some(SIGABRT), "{case}: {status}");
    !status.success()
}

#[test]
fn one_panic_at_a_time_is_survived_and_a_panic_within_a_panic_is_not() {
    let survived =
        ["handler, then actor", "handler, then field", "handler, then queued message", "payload"];
    let fatal = [
        "handler and its local",
        "handler and its message",
        "actor and its field",
        "two fields",
        "actor and queued message",
        "unsupervised: handler, then stopped",
    ];
    thread::scope(|scope| {
        for case in survived {
            scope.spawn(move || assert!(!aborts(case), "{case} should be survived"));
        }
        for case in fatal {
            scope.spawn(move || assert!(aborts(case), "{case} should abort"));
        }
    });
}
