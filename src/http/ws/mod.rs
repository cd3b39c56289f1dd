//! `/ws`: everything that happens, as it happens.
//!
//! ```text
//!   feed ──one channel a worker──> hub ──Arc<Frame>──> outlet (bounded) ──> session ──> socket
//!          (never blocks)          one task a worker   shared by both,      an actor, woken
//!                                                      on one thread        once for many frames
//! ```
//! A frame is serialised once for all. A session that does not keep up fills its own outlet and
//! nothing else: what does not fit is counted, told as `lagged`, and after ten seconds it is closed.

mod hub;
mod message;
mod outlet;
mod session;
mod snapshot;
mod subscription;

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{CloseCode, WsResponseBuilder};

use hub::Hub;
pub use hub::Hubs;
use session::{Farewell, Session};

use super::{
    access::{Identity, Peer, Role, WrongToken, secret_in_query},
    app::App,
    error::Problem,
    guard::forbidden,
};
use crate::daemons::Phase;

/// `GET /ws`. Origin and Host have been checked before the upgrade; everything else is told to the
/// client in a WebSocket's own way, after it.
pub(super) async fn connect(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let settings = app.settings();
    let by_header = request.extensions().get::<Result<Identity, WrongToken>>().cloned();
    let peer = request.conn_data::<Peer>().copied();
    let shown = match (secret_in_query(request.query_string()), peer) {
        (Some(secret), Some(peer)) => Some(settings.policy.identify(peer, Some(&secret))),
        _ => by_header,
    };
    let authorized = match shown {
        Some(Ok(who)) if who.role >= Role::Readonly => Ok(true),
        Some(Err(WrongToken)) => Err(Farewell::wrong_token()),
        _ if settings.policy.token.is_some() => Ok(false), // it may still show one
        _ => return Err(forbidden(&app, Role::Readonly)),
    };
    let source = peer.map(|peer| peer.to_string()).unwrap_or_default();
    if authorized.is_err() {
        session::refuse_token(&app, &source);
    }
    let stopping = app.hubs().is_closed() || app.board.phase() == Phase::Stopping;
    let opened = authorized.and_then(|authorized| {
        if stopping {
            return Err(Farewell::new(CloseCode::Away, "the station is stopping"));
        }
        let Some(connected) = app.board.connect(settings.max_connections) else {
            return Err(Farewell::new(CloseCode::Again, "Server overloaded"));
        };
        Ok(Session::new(&app, connected, source, authorized))
    });
    let upgraded = match opened {
        Ok(session) => {
            let outlet = session.outlet();
            let started = WsResponseBuilder::new(session, &request, payload).start_with_addr();
            started.map(|(address, response)| {
                Hub::here(&app).add(address, outlet);
                response
            })
        }
        Err(farewell) => WsResponseBuilder::new(farewell, &request, payload).start(),
    };
    upgraded.map_err(|error| Problem::Malformed(format!("this address speaks WebSocket: {error}")))
}
