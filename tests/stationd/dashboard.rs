//! The dashboard, in a browser: what a person sees and can do.

mod browser;
mod daemons;
mod files;
mod looks;
mod works;
