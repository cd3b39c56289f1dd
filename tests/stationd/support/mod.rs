//! What every test needs: a station, clients of it, and the one way to wait.

mod binary;
mod daemons;
mod eventually;
mod http;
mod station;
mod websocket;

pub(crate) use binary::{Ran, program, run, run_with};
pub(crate) use daemons::{daemons, lives, marked, sh};
pub(crate) use eventually::{DEADLINE, eventually};
pub(crate) use http::{Answer, Client, read_answer};
pub(crate) use station::{Builder, Station};
pub(crate) use websocket::{Said, WebSocket};
