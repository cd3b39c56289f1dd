//! The dashboard, in a browser: what a person sees and can do.

mod browser;
mod daemons;
mod files;
mod jobs;
mod looks;
mod machines;
mod queue;
mod works;
