//! Supervision of an actor of your own: it is restarted when it panics, fails or hangs, and the
//! rest of the program keeps one handle to it across all of its incarnations.
//!
//! ```text
//! cargo run --example supervise
//! ```
//!
//! Four steps: write an actor, implement [`Service`] for it, describe how it is built with
//! [`child`], and give it to a [`Supervisor`] together with a [`Spec`]. What you get back from
//! `child` is a [`Link`](stationd::supervision::Link): ask through it, and you are answered by
//! whichever incarnation lives, or told at once that there is none.

use std::{sync::Arc, time::Duration};

use actix::{Actor, Context, Handler, Message};
use stationd::{
    domain::{Backoff, DaemonState, Health},
    supervision::{
        Notice, Policy, Ready, Rules, Service, Shutdown, Spec, Supervisor, Vitals, child,
    },
};

/// Weighs things. Its sensor does not like the number 13.
struct Scale {
    /// The way to tell the supervisor why it ends: `vitals.fail(&error)` before `ctx.stop()`.
    _vitals: Arc<Vitals>,
    weighed: u32,
}

impl Actor for Scale {
    type Context = Context<Self>;
}

impl Service for Scale {
    /// Asked at the start and every health interval. If it cannot answer in time, because a handler
    /// blocks, the incarnation is left to itself and another one takes its place.
    fn health(&mut self) -> Health {
        Health::healthy().with("weighed", self.weighed)
    }
}

/// A request like any other in actix.
#[derive(Message)]
#[rtype(result = "u32")]
struct Weigh(u32);

impl Handler<Weigh> for Scale {
    type Result = u32;

    fn handle(&mut self, Weigh(grams): Weigh, _: &mut Self::Context) -> u32 {
        assert_ne!(grams, 13, "the sensor does not like that");
        self.weighed += 1;
        grams * 10
    }
}

#[expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
#[actix::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The factory runs on the daemon's own thread, at every start. It may block, fail and panic.
    let (scale, link) =
        child(|vitals| Ok::<_, std::io::Error>(Scale { _vitals: vitals, weighed: 0 }));

    // Restarts come after 10 ms, 20 ms, 40 ms …; the sixth failure in a row is final.
    let millis = Duration::from_millis;
    let policy =
        Policy { backoff: Backoff::new(millis(10), 2.0, millis(500), 0.0)?, ..Policy::default() };
    let spec = Spec { description: "weighs things".to_owned(), ..Spec::new("scale", policy) };

    // The observer sees every change, in order.
    let observer = |notice: Notice<'_>| {
        if let Notice::Changed(daemon) = notice {
            println!("{} is {}: {}", daemon.name, daemon.state, daemon.health.message);
            if daemon.state == DaemonState::Backoff {
                println!("  next: {}", daemon.why.next);
            }
        }
    };
    let supervisor = Supervisor::new(vec![(spec, scale)], Rules::default(), observer)?.start();
    supervisor.send(Ready).await??;

    println!("4 g are {:?}", link.ask(Weigh(4)).await);
    println!("13 g are {:?}", link.ask(Weigh(13)).await); // panics: you hear of it at once
    let weight = loop {
        link.up().await; // until another incarnation lives, which may be gone as soon as it came
        if let Ok(weight) = link.ask(Weigh(5)).await {
            break weight;
        }
    };
    println!("5 g are {weight}");

    supervisor.send(Shutdown { grace: Duration::from_secs(5) }).await?;
    Ok(())
}
