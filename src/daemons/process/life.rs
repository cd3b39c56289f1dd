//! One run of a program: watched, stopped, cleared away, judged.

use std::{future::pending, io, rc::Rc, sync::Arc, time::Instant};

use nix::sys::signal::Signal;
use tokio::{sync::watch::Receiver, time::sleep_until};

use super::{
    actor::Seen,
    end::End,
    notify::Socket,
    plan::{Plan, kill_at},
    probe::Prober,
    record::Files,
    start::Running,
    tree::{self, Tree},
    watch::Watch,
    words::plain,
};
use crate::{
    domain::{Health, Readiness},
    supervision::Vitals,
};

/// What is to be run, and who is to know how it goes.
pub(super) struct Life {
    pub(super) plan: Plan,
    pub(super) vitals: Arc<Vitals>,
    pub(super) seen: Rc<Seen>,
    /// By when it is to have stopped, once it has been asked to.
    pub(super) orders: Receiver<Option<Instant>>,
}

/// Why a program does not run on.
enum Turn {
    /// It has ended by itself.
    Ended,
    /// It is to stop.
    Asked,
    /// Something is wrong with it.
    Trouble(String),
}

/// What was written down of it. Dropping it takes the files back, unless they are to stay.
struct Recorded {
    files: Files,
    run: String,
    stays: bool,
}

impl Life {
    /// Runs the program. When this returns, nothing is left of it, and the reason has been told.
    pub(super) async fn run(self) {
        let started = self.start().await;
        match started {
            Ok(running) => self.live(running).await,
            Err(error) => self.vitals.fail(&error),
        }
    }

    async fn live(&self, running: Running) {
        let Running { mut tree, end, output, socket, launch, is_adopted } = running;
        let options = &self.plan.options;
        let mut recorded = Recorded {
            files: Files::of(&options.host.run, &options.name),
            run: launch.run.clone(),
            stays: tree.is_left_alone(),
        };
        let family = tree.family().clone();
        let watch = Watch {
            plan: &self.plan,
            output: &output,
            socket: socket.as_ref(),
            prober: Prober::new(launch.clone()),
            is_adopted,
        };
        let listen = async {
            match &socket {
                Some(socket) => socket.listen(&family).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.see_through(&mut tree, &end, &watch) => {}
            never = output.pump() => match never {},
            never = listen => match never {},
        }
        self.seen.record.take();
        self.vitals.leave(output.end());
        recorded.stays = false;
        tree.finish();
    }

    /// Until nothing is left of it but a number to be reaped.
    async fn see_through(&self, tree: &mut Tree, end: &tree::Watch, watch: &Watch<'_>) {
        let watched = async {
            watch.ready(&self.seen).await;
            self.seen.was_up.set(true);
            self.seen.health.replace(watch.first_health());
            self.vitals.ready();
            watch.trouble(&self.seen).await
        };
        let turn = tokio::select! {
            biased;
            () = end.ended() => Turn::Ended,
            () = self.asked() => Turn::Asked,
            trouble = watched => Turn::Trouble(trouble),
        };
        let begun = Instant::now();
        let was_killed = match &turn {
            Turn::Ended => false,
            Turn::Asked => self.stop(tree, end, begun).await,
            Turn::Trouble(trouble) => {
                self.vitals.fail(trouble);
                self.seen.is(Health::unhealthy(trouble.clone()));
                self.stop(tree, end, begun).await
            }
        };
        tree.clear(|| was_killed || Instant::now() >= self.kill_at(begun)).await;
        match turn {
            Turn::Trouble(_) => {}
            Turn::Asked if was_killed => {
                let waited = self.kill_at(begun).saturating_duration_since(begun).as_secs_f64();
                let waited = (waited * 10.0).round() / 10.0;
                if waited > 0.0 {
                    self.vitals.end(&format!("was killed: it did not stop within {waited} s"));
                } else {
                    self.vitals.end(&"was killed");
                }
            }
            Turn::Asked => self.vitals.end(&tree.end()),
            Turn::Ended => self.judge(tree.end(), watch.socket),
        }
    }

    fn judge(&self, end: End, socket: Option<&Socket>) {
        let was_up =
            self.seen.was_up.get() || self.plan.options.program.ready == Readiness::Spawned;
        let (mut how, is_well) = self.plan.verdict(end, was_up);
        if let Some(errno) = socket.and_then(|socket| socket.said.errno.get()) {
            how = format!("{how}: {}", plain(&io::Error::from_raw_os_error(errno)));
        }
        if is_well { self.vitals.end(&how) } else { self.vitals.fail(&how) }
    }

    /// Until it has been asked to stop.
    async fn asked(&self) {
        let mut orders = self.orders.clone();
        if orders.wait_for(Option::is_some).await.is_err() {
            pending::<()>().await; // the actor is gone, and this with it
        }
    }

    fn kill_at(&self, begun: Instant) -> Instant {
        kill_at(begun, self.plan.options.program.stop_timeout, *self.orders.borrow())
    }

    /// Asks the program to end, and kills it when it is late: true then.
    async fn stop(&self, tree: &mut Tree, end: &tree::Watch, begun: Instant) -> bool {
        let mut orders = self.orders.clone();
        tree.leave_alone(false);
        if self.kill_at(begun) > begun {
            tokio::select! {
                () = tree.remember() => {}
                () = end.ended() => {}
            }
            tree.signal(self.plan.stop_signal);
            tree.signal(Signal::SIGCONT);
            loop {
                orders.mark_unchanged();
                tokio::select! {
                    biased;
                    () = end.ended() => return false,
                    () = sleep_until(self.kill_at(begun).into()) => break,
                    Ok(()) = orders.changed() => {}
                }
            }
        }
        tree.kill();
        end.ended().await;
        true
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if !self.stays {
            self.files.remove(&self.run);
        }
    }
}
