//! What stands before every handler: the name asked for, the page it comes from, the role.

use std::sync::Arc;

use actix_web::{
    Error, FromRequest, Handler, HttpMessage, HttpRequest, Responder, ResponseError, Route,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderMap, HeaderName, HeaderValue},
    },
    middleware::{Next, from_fn},
    web,
};

use super::{
    access::{Identity, Peer, Role, WrongToken, secret_of},
    app::App,
    error::Problem,
    origin::Stray,
};
use crate::domain::Actor;

/// On every answer. Scripts and styles come from the station alone, and nobody frames it.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

fn dress(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Runs before routing, for every request.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = match admit(&request) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(problem) => request.into_response(problem.error_response()),
    };
    dress(response.headers_mut());
    Ok(response)
}

fn admit(request: &ServiceRequest) -> Result<(), Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(unwired)?;
    let peer = *request.conn_data::<Peer>().ok_or_else(unwired)?;
    let settings = app.settings();
    let (local, unix) = match peer {
        Peer::Local { .. } => (None, true),
        Peer::Tcp { local, .. } => (local.map(|local| local.ip()), false),
    };
    let checked =
        settings.names.check(request.method(), request.path(), request.headers(), local, unix);
    if let Err(stray) = checked {
        let stranger = Actor { name: "anonymous".to_owned(), source: peer.to_string() };
        let header = |name| {
            let value = request.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().chars().take(100).collect::<String>()
        };
        return Err(match stray {
            Stray::Host => {
                app.refused(&stranger, "request.host", &header("host"));
                Problem::Misdirected(header("host"))
            }
            Stray::Origin => {
                app.refused(&stranger, "request.origin", &header("origin"));
                Problem::Forbidden(
                    "a page of another site sent this; `websocket.allowed_origins` lists those \
                     that may"
                        .to_owned(),
                )
            }
        });
    }
    let secret = secret_of(request.headers());
    let identity = settings.policy.identify(peer, secret.as_deref());
    request.extensions_mut().insert(identity);
    Ok(())
}

fn unwired() -> Problem {
    Problem::Internal("the server is not put together".to_owned())
}

/// Who asks, for handlers. [`route`] has checked the role.
#[derive(Clone)]
pub(super) struct Who(pub(super) Identity);

impl FromRequest for Who {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(identity(request).map(Self))
    }
}

fn identity(request: &HttpRequest) -> Result<Identity, Problem> {
    let extensions = request.extensions();
    match extensions.get::<Result<Identity, WrongToken>>() {
        Some(Ok(identity)) => Ok(identity.clone()),
        Some(Err(WrongToken)) | None => Err(Problem::Unauthorized),
    }
}

/// A way to a handler, for those who have the role. There is no other way to register one.
pub(super) fn route<F, Args>(method: Method, role: Role, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let route = web::method(method).to(handler);
    if role == Role::Nobody {
        return route;
    }
    route.wrap(from_fn(move |request: ServiceRequest, next: Next<BoxBody>| async move {
        match authorize(&request, role) {
            Ok(()) => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
            Err(problem) => Ok(request.into_response(problem.error_response())),
        }
    }))
}

fn authorize(request: &ServiceRequest, needed: Role) -> Result<(), Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(unwired)?;
    let who = identity(request.request());
    if who.as_ref().is_ok_and(|who| who.role >= needed) {
        return Ok(());
    }
    let peer = request.conn_data::<Peer>().map(ToString::to_string).unwrap_or_default();
    let nobody = || Actor { name: "anonymous".to_owned(), source: peer };
    let (actor, role) = match who {
        Ok(who) => (who.actor, who.role),
        Err(_) => (nobody(), Role::Nobody),
    };
    let action = format!("{} {}", request.method(), request.path());
    app.refused(&actor, &action, &format!("needs the role {needed}"));
    if role == Role::Nobody && app.settings().policy.token.is_some() {
        return Err(Problem::Unauthorized);
    }
    Err(forbidden(app, needed))
}

/// What to do about a missing role.
pub(super) fn forbidden(app: &Arc<App>, needed: Role) -> Problem {
    let socket = app.settings().socket_path.display().to_string();
    Problem::Forbidden(format!(
        "this needs the role {needed}: use the station's own socket ({socket}), or set \
         `websocket.authenticate` and `websocket.api_key` and send the key"
    ))
}
