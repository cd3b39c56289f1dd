//! Supervision of actix actors that survives panics, errors and hangs.
//!
//! `actix::Supervisor` only restarts an actor that *stops*; it does nothing when a handler
//! panics or blocks. Here every daemon runs alone on its own [`Arbiter`](actix::Arbiter) (one
//! thread), so it may block, and a stuck one can be abandoned and replaced; those that never block
//! may share a thread ([`Child::shared`]).
//!
//! ```text
//!   Plan        pure (domain): do the daemons fit together, in what order do they start
//!   Lifecycle   pure: (state, event, now) -> Launch(n) | Examine | AskToStop | Retire | nothing
//!       ^
//!   Supervisor  an actor; obeys the lifecycles; never blocks      <── Start, Stop, Ready, …  people
//!       │  │                                                      ──> observer: each Notice
//!       │  │ launch                       ^ News: Health(n), Exited(n, why)
//!       │  v                              │
//!       │  Incarnation  a future on a fresh arbiter: drives the actor, contains its panics
//!       │     │  Lifeline   dropped when nothing of the actor is left: the notice of death
//!       │     └─ Service    your actor
//!       │          └─ Pulse in its event loop: beats, says how it is, obeys
//!       └──────────────^ Control: Examine, Stop
//!
//!   Link<A>     watch::Receiver<Option<Addr<A>>>: what everyone else holds, across restarts
//! ```
//!
//! # Theory of operation
//!
//! **Launch.** A daemon waits until all that it needs is started, healthy or completed, as its
//! [`Spec`] says; what it does not require is waited for only while it is coming. Then its factory
//! is called on its thread, where it may fail, block or panic. Its address is published in its
//! [`Link`] if it was built in time. It is RUNNING once its event loop has turned and it has said
//! how it is, so a `ctx.wait` in `started` is part of starting; one that is not
//! [`READY_AT_ONCE`](Service::READY_AT_ONCE) says so itself by [`Vitals::ready`].
//!
//! **Failure.** Whatever ends an incarnation, the supervisor hears of it once, when nothing of it
//! is left, with the first cause. It withdraws the address (whoever waits for an answer gets
//! [`Unavailable`] at once), lets the thread go and launches the next incarnation after the
//! back-off. The others are left alone: a dependency decides when a daemon is *launched*, not
//! whether it may go on; only those that ask for it are restarted once it is back. There is a limit
//! for the restarts of all together ([`Rules`]).
//!
//! **Hang.** A loop that stands still for longer than the silence limit, or does not answer a
//! health request in time, is abandoned: the thread is left to itself, never joined, and the
//! observer is told how many there are by now. A zombie that wakes cannot publish its address, is no longer listened to (news carries the number of the
//! incarnation) and can see that it is retired ([`Vitals::is_retired`]).
//!
//! **Stop.** Asked through [`Service::stop`]; past its stop time-out a daemon is abandoned.
//! [`Shutdown`] stops each before what it depends on, those independent of each other at once.
//!
//! **Change.** [`Configure`] gives the supervisor other daemons: what is new is started, what is
//! gone is stopped and forgotten, and what has another [`substance`](Spec::substance) is restarted
//! as soon as it is down. [`Reconcile`], and a pass every so often, mends whatever differs all the
//! same from what is meant to be.
//!
//! **Why.** Each view carries the chain of causes that led to its state, and what comes next.
//!
//! **Time.** There is no tick: news is acted upon as it comes, and one alarm is set for the next
//! moment at which time alone changes something. Each daemon beats a few times within its
//! silence limit, all at the same moments: those that share a thread wake it once.
//!
//! **The supervisor itself** is not supervised: its panic ends the process with code 70.
//!
//! Not survivable, by Rust's own rules: a destructor that panics while another panic unwinds the
//! same frames (a local's, the message's, two fields' of the actor). A `ResponseFuture` runs
//! outside the actor, so its panic is only its caller's.

mod child;
mod configure;
mod desk;
#[cfg(feature = "faults")]
mod faults;
mod fuse;
mod incarnation;
mod lifecycle;
mod lifeline;
mod link;
mod news;
mod notice;
mod orders;
mod panics;
mod problems;
mod pulse;
mod reconcile;
mod shared;
mod slot;
mod spec;
mod supervisor;
#[cfg(test)]
mod tests;
mod throttle;
mod view;
mod vitals;

pub use child::{Child, Facts, Service, child};
#[cfg(feature = "faults")]
pub use faults::{At, Fault, Inject};
pub use link::{Link, Unavailable};
pub use notice::Notice;
pub use orders::{
    CheckHealth, CheckOne, Configure, Done, InOrder, List, Mended, NotReady, OrderError, Ready,
    Reconcile, Restart, Show, Shutdown, Start, Stop,
};
pub use panics::log_panics;
pub use problems::Problems;
pub use spec::{Policy, Rules, Spec};
pub use supervisor::Supervisor;
pub use vitals::{Exit, Late, Vitals};
