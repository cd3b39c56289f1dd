//! Whatever panics, and however often: the process lives, the supervisor knows why, those who wait
//! hear of it, and a replacement answers.

use std::{
    fs,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use actix::{Actor, Addr};

use super::{
    bomb::{At, Block, Bomb, Count, Fuse, Ran, first_panic, matrix},
    support::{
        Seen, backoff, counted, eventually, first, is_well, ms, policy, seen_as, spec, supervise,
    },
};
use crate::{
    domain::DaemonState,
    supervision::{Exit, Link, Policy, Rules, Supervisor, Unavailable},
};

/// A supervisor over one daemon whose first incarnation is a bomb.
fn rig(at: &[At], policy: Policy) -> (Addr<Supervisor>, Link<Bomb>, Arc<Ran>, Seen) {
    let (at, ran) = (at.to_vec(), Arc::new(Ran::default()));
    let counts = ran.clone();
    let (child, link) = counted(move |n, _| {
        let (at, ran) = if n == 1 { (at.clone(), counts.clone()) } else { <_>::default() };
        Ok(Bomb { at, ran })
    });
    let (supervisor, seen) = supervise(vec![(spec("bomb", &[], policy), child)]);
    (supervisor, link, ran, seen)
}

fn at_once() -> Policy {
    Policy { backoff: backoff(0, 0), ..policy() }
}

#[actix::test]
async fn every_panic_is_survived_named_and_followed_by_a_replacement() {
    for at in matrix() {
        let (supervisor, link, ran, seen) = rig(&at, at_once());
        if at[0] != At::Started {
            eventually("it runs", async || link.ask(Count).await.is_ok()).await;
            let handled = ran.handled.load(Ordering::SeqCst);
            // The first keeps it busy while the others queue up behind the one that panics.
            let (_, _, a, b) =
                tokio::join!(link.ask(Block), link.ask(Fuse), link.ask(Count), link.ask(Count));
            if matches!(at[0], At::Handler | At::Wait) {
                assert_eq!((a, b), (Err(Unavailable), Err(Unavailable)), "{at:?}");
                assert_eq!(ran.handled.load(Ordering::SeqCst), handled, "{at:?} worked on, broken");
            }
        }
        if at[..2.min(at.len())] == [At::Quit, At::Continue] {
            link.tell(Fuse).unwrap(); // it lived on: quits for good at the second request
        }
        let exit = first_panic(&at).map_or(Exit::Stopped, Exit::Panicked).to_string();
        let told = seen_as(&seen, "bomb", |d| d.state == DaemonState::Backoff).await;
        assert_eq!(told.last_error, Some(exit.clone()), "{at:?}");
        assert_eq!(told.last_exit, Some(exit), "{at:?}");
        assert!(told.next_restart_at.is_some());
        eventually("the replacement answers", async || link.ask(Count).await.is_ok()).await;
        seen_as(&seen, "bomb", |d| d.state == DaemonState::Running && d.restarts == 1).await;
        assert_eq!(first(&supervisor).await.restarts, 1, "{at:?}");
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

#[actix::test]
async fn a_hundred_panics_leave_no_thread_behind() {
    let (child, link) =
        counted(|_, _| Ok(Bomb { at: vec![At::Handler, At::Drop], ran: <_>::default() }));
    let (_supervisor, _) = supervise(vec![(spec("bomb", &[], at_once()), child)]);
    let mut before = 0;
    for n in 0..100 {
        eventually("it answers", async || link.ask(Count).await.is_ok()).await;
        if n == 0 {
            before = threads();
        }
        assert_eq!(link.ask(Fuse).await, Err(Unavailable));
    }
    eventually("old threads end", async || threads() <= before + 80).await; // other tests run too
}

#[actix::test]
async fn construction_may_fail_panic_and_take_too_long() {
    let (child, link) = counted(|n, _| {
        match n {
            1 => return Err("port busy".into()),
            2 => panic!("in build"),
            3 => std::thread::sleep(ms(900)),
            _ => {}
        }
        Ok(Bomb { at: vec![], ran: <_>::default() })
    });
    let policy = Policy { start_timeout: ms(600), ..at_once() };
    let (supervisor, seen) = supervise(vec![(spec("bomb", &[], policy), child)]);
    seen_as(&seen, "bomb", is_well).await;
    let errors = seen
        .borrow()
        .iter()
        .filter(|d| d.state == DaemonState::Backoff)
        .map(|d| d.last_error.clone().unwrap())
        .collect::<Vec<_>>();
    assert_eq!(
        errors,
        ["failed: port busy", "panicked: in build", "hung: it did not start in time"]
    );
    // The third is built by now or soon, and must not take the link.
    let built = Instant::now();
    while built.elapsed() < ms(500) {
        assert_eq!(link.ask(Count).await, Ok(()));
        actix::clock::sleep(ms(20)).await;
    }
    assert_eq!(first(&supervisor).await.restarts, 3);
}

#[actix::test]
async fn a_destructor_that_hangs_after_the_panic_is_a_hang() {
    let policy = Policy { silence_limit: ms(300), ..at_once() };
    let (_supervisor, link, _, seen) = rig(&[At::Handler, At::HangInDrop], policy);
    eventually("it runs", async || link.ask(Count).await.is_ok()).await;
    let (_, _, queued) = tokio::join!(link.ask(Block), link.ask(Fuse), link.ask(Count));
    assert_eq!(queued, Err(Unavailable));
    let told = seen_as(&seen, "bomb", |d| d.state == DaemonState::Backoff).await;
    assert_eq!(told.last_error.as_deref(), Some("hung: its event loop stood still"));
    eventually("the replacement answers", async || link.ask(Count).await.is_ok()).await;
}

/// With a beat a second, only news can be this fast: there is no polling anywhere.
#[actix::test]
async fn a_replacement_answers_at_once() {
    let (child, link) = counted(|_, _| Ok(Bomb { at: vec![At::Handler], ran: <_>::default() }));
    let policy = Policy { silence_limit: Duration::from_secs(15), ..at_once() };
    let (_supervisor, _) = supervise(vec![(spec("bomb", &[], policy), child)]);
    let mut times = Vec::new();
    for _ in 0..50 {
        eventually("it answers", async || link.ask(Count).await.is_ok()).await;
        let panicked = Instant::now();
        assert_eq!(link.ask(Fuse).await, Err(Unavailable));
        while link.ask(Count).await.is_err() {
            tokio::task::yield_now().await; // the news of its death is on the way
            link.up().await;
        }
        times.push(panicked.elapsed());
    }
    times.sort();
    assert!(times[25] < ms(50), "{:?}", times[25]); // far below any beat, on a loaded machine
}

#[actix::test]
async fn the_supervisors_own_panic_ends_the_process_with_code_70() {
    let run = || {
        let system = actix::System::new();
        system.block_on(async {
            let (child, _link) = counted(|_, _| Ok(Bomb { at: vec![], ran: <_>::default() }));
            let daemons = vec![(spec("bomb", &[], policy()), child)];
            Supervisor::new(daemons, Rules::default(), |_| panic!("the observer")).unwrap().start();
        });
        system.run_with_code().unwrap()
    };
    let code = std::thread::Builder::new().name("arbiter, hushed".into()).spawn(run).unwrap();
    eventually("the system ends", async || code.is_finished()).await;
    assert_eq!(code.join().unwrap(), 70);
}
