//! The addresses a station is reached at.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
};

use nix::sys::socket::{Backlog, listen};

use super::StartError;
use crate::config::Websocket;

/// Connections that may wait to be accepted: a thousand browsers that come back at once.
const BACKLOG: i32 = 1024;

/// How often another port is tried when the two loopbacks must share a free one.
const TRIES: usize = 16;

/// Binds what is configured; nothing if the listener is switched off.
pub(super) fn bind(config: &Websocket) -> Result<Vec<TcpListener>, StartError> {
    if !config.enabled {
        return Ok(Vec::new());
    }
    if config.host == "localhost" {
        return loopbacks(config.port);
    }
    let found = (config.host.as_str(), config.port).to_socket_addrs().and_then(|mut found| {
        found.next().ok_or_else(|| io::Error::other("the name has no address"))
    });
    let address = found.map_err(|error| {
        StartError::Configuration(format!("websocket.host: \"{}\": {error}", config.host))
    })?;
    Ok(vec![one(address)?])
}

/// 127.0.0.1, and ::1 at the same port where there is one.
fn loopbacks(port: u16) -> Result<Vec<TcpListener>, StartError> {
    for _ in 0..TRIES {
        let v4 = one((Ipv4Addr::LOCALHOST, port).into())?;
        let same = v4.local_addr().map_or(port, |address| address.port());
        match one((Ipv6Addr::LOCALHOST, same).into()) {
            Ok(v6) => return Ok(vec![v4, v6]),
            Err(StartError::PortInUse { .. }) if port == 0 => {} // another free one
            Err(error @ StartError::PortInUse { .. }) => return Err(error),
            Err(_) => return Ok(vec![v4]), // no IPv6 here
        }
    }
    Ok(vec![one((Ipv4Addr::LOCALHOST, port).into())?])
}

fn one(address: SocketAddr) -> Result<TcpListener, StartError> {
    let refused = |source| StartError::listen(address, source);
    let listener = TcpListener::bind(address).map_err(refused)?;
    let backlog = Backlog::new(BACKLOG).map_err(|error| refused(error.into()))?;
    listen(&listener, backlog).map_err(|error| refused(error.into()))?;
    Ok(listener)
}

/// Where a browser finds the dashboard, if anywhere.
pub(super) fn address(host: &str, listeners: &[TcpListener]) -> Option<String> {
    let address = listeners.first()?.local_addr().ok()?;
    let host = match (host, address.ip()) {
        ("localhost", _) => "localhost".to_owned(),
        (_, IpAddr::V6(ip)) => format!("[{ip}]"),
        (_, IpAddr::V4(ip)) => ip.to_string(),
    };
    Some(format!("http://{host}:{}", address.port()))
}
