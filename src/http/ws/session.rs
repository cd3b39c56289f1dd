//! One client: what it says, and what it is told.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, StreamHandler, fut::wrap_future,
};
use actix_http::ws::Item;
use actix_web::web;
use actix_web_actors::ws::{CloseCode, CloseReason, Message, ProtocolError, WebsocketContext};
use log::{debug, error};

use super::{
    hub::Wake,
    message::{self, Code, Request},
    outlet::{Due, End, Outlet},
    snapshot::{self, Snapshot},
    subscription::Subscription,
};
use crate::{
    daemons::Connected,
    domain::Actor as Person,
    http::{App, rate::Rate},
};

/// The longest message of a client, in bytes, in one frame or in many.
const LONGEST: usize = 64 * 1024;
/// Until then a client must have shown its token.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that has been let in.
pub(super) struct Session {
    app: Arc<App>,
    outlet: Rc<Outlet>,
    rate: Rate,
    authorized: bool,
    /// A message that comes in pieces, and whether it is text.
    partial: Option<(bool, Vec<u8>)>,
    source: String,
    _counted: Connected,
}

type Ctx = WebsocketContext<Session>;

impl Session {
    pub(super) fn new(
        app: &Arc<App>,
        counted: Connected,
        source: String,
        authorized: bool,
    ) -> Self {
        let (settings, now) = (app.settings(), Instant::now());
        Self {
            app: app.clone(),
            outlet: Rc::new(Outlet::new(settings.send_queue, now)),
            rate: Rate::new(settings.message_rate_limit, now),
            authorized,
            partial: None,
            source,
            _counted: counted,
        }
    }

    pub(super) fn outlet(&self) -> Rc<Outlet> {
        self.outlet.clone()
    }

    /// Sends everything that waits.
    fn flush(&self, ctx: &mut Ctx) {
        let Due { frames, lag, ping, end } = self.outlet.take();
        for frame in frames {
            ctx.text(frame.text.clone());
        }
        if let Some(lag) = lag {
            debug!(target: "websocket", "{} lost {} messages", self.source, lag.missed);
            ctx.text(message::lagged(lag.missed, lag.from_seq));
        }
        if ping {
            ctx.ping(b"");
        }
        match end {
            None => {}
            Some(End::Behind) => close(ctx, CloseCode::Again, "too slow"),
            Some(End::Stopping) => close(ctx, CloseCode::Away, "the station is stopping"),
            Some(End::Silent) => ctx.stop(),
        }
    }

    fn hear(&mut self, text: &str, ctx: &mut Ctx) {
        if !self.rate.take(Instant::now()) {
            ctx.text(message::error(Code::RateLimited, "too many messages"));
            close(ctx, CloseCode::Policy, "too many messages");
            return;
        }
        match Request::parse(text) {
            Ok(Request::Auth { token }) => self.authorize(&token, ctx),
            _ if !self.authorized => unauthorized(ctx),
            Err((code, message)) => ctx.text(message::error(code, &message)),
            Ok(Request::Ping) => ctx.text(message::pong()),
            Ok(Request::Subscribe { channels, since, ack }) => {
                match Subscription::parse(&channels) {
                    Ok(wanted) => self.subscribe(wanted, since, ack, ctx),
                    Err(error) => ctx.text(message::error(Code::SubscriptionError, &error)),
                }
            }
            Ok(Request::Unsubscribe { channels }) => {
                let mut rest = self.outlet.subscription();
                match rest.remove(&channels) {
                    Ok(()) => self.outlet.narrow(rest),
                    Err(error) => ctx.text(message::error(Code::UnsubscriptionError, &error)),
                }
            }
        }
    }

    fn authorize(&mut self, token: &str, ctx: &mut Ctx) {
        match &self.app.settings().policy.token {
            Some(ours) if !ours.is(token) => {
                refuse_token(&self.app, &self.source);
                unauthorized(ctx);
            }
            _ => self.authorized = true,
        }
    }

    /// The present state, or what was missed, and then everything after it. Nothing else is heard
    /// meanwhile: it is read in milliseconds.
    fn subscribe(&mut self, wanted: Subscription, since: Option<u64>, ack: bool, ctx: &mut Ctx) {
        self.flush(ctx);
        let names = wanted.names();
        self.outlet.join(wanted.clone());
        let app = self.app.clone();
        let reading = web::block(move || snapshot::read(&app, &wanted, since));
        ctx.wait(wrap_future::<_, Self>(reading).map(move |read, this, ctx| match read {
            Ok(Ok(snapshot)) => this.begin(snapshot, ack.then_some(names), ctx),
            Ok(Err(reason)) => {
                error!(target: "websocket", "the present state cannot be read: {reason}");
                this.outlet.narrow(Subscription::default());
                this.outlet.joined(0);
                let text = format!("the present state cannot be read: {reason}");
                ctx.text(message::error(Code::MessageHandlingError, &text));
            }
            Err(_) => close(ctx, CloseCode::Away, "the station is stopping"),
        }));
    }

    fn begin(&mut self, snapshot: Snapshot, ack: Option<Vec<String>>, ctx: &mut Ctx) {
        let Snapshot { seq, lag, frames } = snapshot;
        if let Some(lag) = lag {
            ctx.text(message::lagged(lag.missed, lag.from_seq));
        }
        if let Some(names) = ack {
            ctx.text(message::subscribed(&names, seq));
        }
        for frame in frames {
            ctx.text(frame);
        }
        self.outlet.joined(seq);
        self.flush(ctx);
    }

    /// Puts a message together that comes in pieces; `None` until the last.
    fn assemble(&mut self, item: Item) -> Result<Option<(bool, Vec<u8>)>, CloseCode> {
        let last = matches!(item, Item::Last(_));
        let (text, piece) = match item {
            Item::FirstText(piece) => (Some(true), piece),
            Item::FirstBinary(piece) => (Some(false), piece),
            Item::Continue(piece) | Item::Last(piece) => (None, piece),
        };
        let mut partial = match (text, self.partial.take()) {
            (Some(text), None) => (text, Vec::new()),
            (None, Some(partial)) => partial,
            _ => return Err(CloseCode::Protocol),
        };
        if partial.1.len() + piece.len() > LONGEST {
            return Err(CloseCode::Size);
        }
        partial.1.extend_from_slice(&piece);
        if last {
            return Ok(Some(partial));
        }
        self.partial = Some(partial);
        Ok(None)
    }

    fn pieces(&mut self, item: Item, ctx: &mut Ctx) {
        match self.assemble(item) {
            Ok(None) => {}
            Ok(Some((false, _))) => binary(ctx),
            Ok(Some((true, bytes))) => match String::from_utf8(bytes) {
                Ok(text) => self.hear(&text, ctx),
                Err(_) => close(ctx, CloseCode::Invalid, "not UTF-8"),
            },
            Err(CloseCode::Size) => close(ctx, CloseCode::Size, "the message is too long"),
            Err(code) => close(ctx, code, "the message's pieces do not fit together"),
        }
    }
}

/// Writes down that a wrong token was shown.
pub(super) fn refuse_token(app: &App, source: &str) {
    let who = Person { name: "anonymous".to_owned(), source: source.to_owned() };
    app.refused(&who, "websocket.connect", "wrong token");
}

fn unauthorized<A>(ctx: &mut WebsocketContext<A>)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    ctx.text(message::error(Code::Unauthorized, "a valid token is needed"));
    close(ctx, CloseCode::Policy, "unauthorized");
}

fn binary(ctx: &mut Ctx) {
    ctx.text(message::error(Code::InvalidJson, "messages are JSON in text frames"));
}

fn close<A>(ctx: &mut WebsocketContext<A>, code: CloseCode, why: &str)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    ctx.close(Some(CloseReason { code, description: Some(why.to_owned()) }));
    ctx.stop();
}

impl Actor for Session {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Self::Context) {
        if !self.authorized {
            ctx.run_later(AUTH_TIMEOUT, |this, ctx| {
                if !this.authorized {
                    unauthorized(ctx);
                }
            });
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.outlet.close();
    }
}

impl Handler<Wake> for Session {
    type Result = ();

    fn handle(&mut self, _: Wake, ctx: &mut Self::Context) {
        self.flush(ctx);
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, item: Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        self.outlet.heard(Instant::now());
        match item {
            Ok(Message::Text(text)) => self.hear(&text, ctx),
            Ok(Message::Binary(_)) => binary(ctx),
            Ok(Message::Continuation(item)) => self.pieces(item, ctx),
            Ok(Message::Ping(bytes)) => ctx.pong(&bytes),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(_)) => close(ctx, CloseCode::Normal, ""),
            Err(ProtocolError::Overflow) => {
                close(ctx, CloseCode::Size, "the message is too long");
            }
            Err(ProtocolError::Io(error)) => {
                debug!(target: "websocket", "{}: {error}", self.source);
                close(ctx, CloseCode::Invalid, "not readable");
            }
            Err(error) => close(ctx, CloseCode::Protocol, &error.to_string()),
        }
    }
}

/// A client that is let in only to be told why it cannot stay.
pub(super) struct Farewell {
    code: CloseCode,
    why: &'static str,
    unauthorized: bool,
}

impl Farewell {
    pub(super) fn new(code: CloseCode, why: &'static str) -> Self {
        Self { code, why, unauthorized: false }
    }

    pub(super) fn wrong_token() -> Self {
        Self { code: CloseCode::Policy, why: "unauthorized", unauthorized: true }
    }
}

impl Actor for Farewell {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.unauthorized {
            unauthorized(ctx);
        } else {
            close(ctx, self.code, self.why);
        }
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Farewell {
    fn handle(&mut self, _: Result<Message, ProtocolError>, _: &mut Self::Context) {}
}
