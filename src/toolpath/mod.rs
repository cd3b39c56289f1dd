//! What a file makes a machine do: moves, bounds, estimates, previews.
//!
//! A file passes once, in constant memory: [`Splitter`] cuts it into the lines that go to the
//! machine (drivers use the same one, so counts always agree), a [`Follower`] of its [`Dialect`]
//! turns lines into segments ([`gcode`] follows the modal state for that), and [`analyse`] and
//! [`preview`] sum those up.
//!
//! Files that are drawings ([`svg`], and [`hpgl`] for machines that do not speak it) are read whole
//! into a [`Drawing`], put in order ([`optimise`]) and written as a program for the machine ([`emit`]);
//! [`convert`] is that way from end to end.

mod analyse;
mod convert;
mod dialect;
mod drawing;
pub mod ebb;
pub mod emit;
mod estimate;
mod findings;
mod follow;
pub mod gcode;
pub mod hpgl;
mod kind;
mod nearest;
mod optimise;
mod pass;
pub mod plan;
mod planner;
mod policy;
mod preview;
mod resume;
mod split;
mod suit;
pub mod svg;

pub use analyse::analyse;
pub use convert::{ConvertError, Program, convert};
pub use drawing::{Drawing, Layer, Stroke};
pub use estimate::Estimate;
pub use follow::{Follower, Found, Lines, Note};
pub use kind::FileKind;
pub use optimise::optimise;
pub use preview::{Preview, preview};
pub use resume::{Confidence, Facts, ResumeError, ResumePlan, Stood, Trust, plan_resume, reached};
pub use split::{Dialect, MAX_RAW_LINE, Next, Splitter};
