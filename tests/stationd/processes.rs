//! Programs as daemons: real ones that exit, crash, hang, flood, escape and eat memory.

mod edges;
mod exits;
mod hangs;
mod kills;
mod operations;
mod order;
mod output;
mod readiness;
mod reload;
mod selection;
mod surroundings;
mod trees;
