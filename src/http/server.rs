//! The listener, its limits, and what is known of a connection.

use std::{any::Any, net::TcpListener, os::unix::net::UnixListener, sync::Arc, time::Duration};

use actix_web::{
    HttpServer,
    dev::{Extensions, Server},
    middleware::from_fn,
    web,
};
use log::warn;
use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use tokio::net::{TcpStream, UnixStream};

use super::{access::Peer, app::App, error::Problem, guard::guard, routes};

/// A peer that acknowledges nothing for this long is cut: the only way to be rid of a client that
/// has stopped reading.
pub const SLOW_CLIENT_TIMEOUT: Duration = Duration::from_secs(20);
/// For the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const WORKERS: usize = 2;
/// Threads a worker, for blocking reads of files and database.
const BLOCKING_THREADS: usize = 4;
const JSON_LIMIT: usize = 256 * 1024;
/// How long open requests may take once the station stops, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 5;

/// Serves on all listeners until its handle stops it. Signals are the station's own business.
pub fn server(
    listeners: Vec<TcpListener>,
    unix: Option<UnixListener>,
    app: &Arc<App>,
) -> std::io::Result<Server> {
    let data = web::Data::from(app.clone());
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(web::PayloadConfig::new(JSON_LIMIT))
            .app_data(web::PathConfig::default().error_handler(|_, request| {
                Problem::NotFound(format!("there is nothing at {}", request.path())).into()
            }))
            .wrap(from_fn(guard))
            .configure(routes::register)
            .default_service(web::to(routes::nothing_here))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(BLOCKING_THREADS)
    .tcp_nodelay(true)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_TIMEOUT)
    .disable_signals()
    .on_connect(meet);
    for listener in listeners {
        server = server.listen(listener)?;
    }
    if let Some(unix) = unix {
        server = server.listen_uds(unix)?;
    }
    Ok(server.run())
}

/// Notes who is at the other end. A connection about which nothing can be told serves nothing.
fn meet(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(tcp) = connection.downcast_ref::<TcpStream>() {
        let limit = u32::try_from(SLOW_CLIENT_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        if let Err(errno) = setsockopt(tcp, TcpUserTimeout, &limit) {
            warn!("a connection has no time-out for slow clients: {errno}");
        }
        if let Ok(remote) = tcp.peer_addr() {
            extensions.insert(Peer::Tcp { remote, local: tcp.local_addr().ok() });
        }
    } else if let Some(unix) = connection.downcast_ref::<UnixStream>()
        && let Ok(peer) = unix.peer_cred()
    {
        extensions.insert(Peer::Local { uid: peer.uid() });
    }
}
