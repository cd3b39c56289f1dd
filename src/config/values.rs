//! What the texts of a configuration mean: durations, sizes, addresses, paths.

use std::net::IpAddr;

/// True if nobody outside this computer can reach `host`: `localhost` or a loopback address.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
