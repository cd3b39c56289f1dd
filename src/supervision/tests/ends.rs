//! What an incarnation tells its supervisor, and what it leaves behind, however it ends.

use std::sync::{Arc, Mutex, atomic::Ordering};

use actix::{Actor, Arbiter, Context, Handler};
use tokio::sync::oneshot;

use super::{
    bomb::{At, Bomb, Fuse, Ran, first_panic, matrix},
    support::{eventually, hush, ms},
};
use crate::supervision::{
    Child, Exit, Link, Vitals, child,
    lifeline::{Event, Lifeline, News, Reporter},
    pulse::Controls,
};

/// Stands in for the supervisor and writes down all it is told.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<Event>>>);

impl Actor for Probe {
    type Context = Context<Self>;
}

impl Handler<News> for Probe {
    type Result = ();

    fn handle(&mut self, News { event, .. }: News, _: &mut Self::Context) {
        self.0.lock().unwrap().push(event);
    }
}

impl Probe {
    fn exits(&self) -> Vec<Exit> {
        let news = self.0.lock().unwrap();
        let exit = |event: &Event| match event {
            Event::Exited(exit) => Some(exit.clone()),
            Event::Health(..) | Event::Stirred(..) => None,
        };
        news.iter().filter_map(exit).collect()
    }

    async fn hears_something(&self) {
        eventually("news", async || !self.0.lock().unwrap().is_empty()).await;
    }

    async fn hears_of_the_end(&self, of: &[At]) {
        eventually(&format!("the end of {of:?}"), async || !self.exits().is_empty()).await;
    }
}

struct Rig {
    probe: Probe,
    _child: Child,
    link: Link<Bomb>,
    arbiter: Arbiter,
    ran: Arc<Ran>,
}

fn launch(at: &[At]) -> Rig {
    hush();
    let (probe, ran, at) = (Probe::default(), Arc::new(Ran::default()), at.to_vec());
    let supervisor = probe.clone().start().recipient();
    let counts = ran.clone();
    let (child, link) =
        child(move |_| Ok::<_, String>(Bomb { at: at.clone(), ran: counts.clone() }));
    let arbiter = Arbiter::new();
    let reporter = Reporter { slot: 0, incarnation: 1, supervisor };
    let lifeline = Lifeline { reporter, vitals: Vitals::new() };
    child.launch(lifeline, Controls::new(ms(1)).1, &arbiter.handle());
    Rig { probe, _child: child, link, arbiter, ran }
}

#[actix::test]
async fn every_panic_is_told_once_by_its_first_message_and_the_thread_lives() {
    for at in matrix() {
        let Rig { probe, _child, link, arbiter, ran } = launch(&at);
        if at[0] != At::Started {
            probe.hears_something().await;
            let _ = link.ask(Fuse).await;
        }
        if at == [At::Quit, At::Continue] {
            arbiter.stop();
            continue; // it lives on
        }
        if at[..2.min(at.len())] == [At::Quit, At::Continue] {
            link.tell(Fuse).unwrap(); // it lived on: quits for good at the second request
        }
        probe.hears_of_the_end(&at).await;

        let (alive, answer) = oneshot::channel();
        arbiter.spawn_fn(move || alive.send(()).unwrap());
        answer.await.expect("the thread lives");
        arbiter.stop();

        let expected = first_panic(&at).map_or(Exit::Stopped, Exit::Panicked);
        assert_eq!(probe.exits(), [expected], "{at:?}");
        assert_eq!(ran.dropped.load(Ordering::SeqCst), 1, "{at:?}");
        if at[0] != At::Quit {
            let hooks = [&ran.stopping, &ran.stopped].map(|n| n.load(Ordering::SeqCst));
            assert_eq!(hooks, [0, 0], "{at:?}: hooks ran on the broken actor");
        }
    }
}

#[actix::test]
async fn an_abandoned_actor_is_dropped_without_its_hooks() {
    let at = [At::Stopping, At::Stopped, At::Drop];
    let Rig { probe, _child, arbiter, ran, .. } = launch(&at);
    probe.hears_something().await;
    arbiter.stop();
    probe.hears_of_the_end(&at).await;
    assert_eq!(probe.exits(), [Exit::Panicked("Drop".into())]);
    assert_eq!(ran.stopping.load(Ordering::SeqCst) + ran.stopped.load(Ordering::SeqCst), 0);
}
