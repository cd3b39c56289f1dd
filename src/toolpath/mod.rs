//! What a file makes a machine do: moves, bounds, estimates, previews.
//!
//! A file passes once, in constant memory: [`Splitter`] cuts it into the lines that go to the
//! machine (drivers use the same one, so counts always agree), a [`Follower`] of its [`Dialect`]
//! turns lines into segments ([`gcode`] follows the modal state for that), and [`analyse`] and
//! [`preview`] sum those up.

mod analyse;
mod dialect;
mod drawing;
pub mod ebb;
mod estimate;
mod findings;
mod follow;
pub mod gcode;
mod kind;
mod pass;
pub mod plan;
mod planner;
mod policy;
mod preview;
mod resume;
mod split;
mod suit;

pub use analyse::analyse;
pub use drawing::{Drawing, Layer, Stroke};
pub use estimate::Estimate;
pub use follow::{Follower, Found, Lines, Note};
pub use kind::FileKind;
pub use preview::{Preview, preview};
pub use resume::{Confidence, Facts, ResumeError, ResumePlan, Trust, plan_resume};
pub use split::{Dialect, MAX_RAW_LINE, Next, Splitter};
