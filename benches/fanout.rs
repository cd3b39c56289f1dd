//! WebSocket fan-out: a thousand subscribers, messages of 300 bytes.
//!
//! Two servers in processes of their own are measured in turn by the same client: the station's,
//! and a bare one of actix-web-actors that does nothing but `try_send` one shared text to each
//! session. At full speed the publisher may be two batches ahead of the slowest subscriber, so that
//! nothing is lost. `SUBSCRIBERS`, `ROUNDS` and `SECONDS` change the size.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

mod support;

use std::{
    net::TcpListener,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use actix::{
    Actor, Addr, AsyncContext, Handler, Message, StreamHandler, System, prelude::SendError,
};
use actix_web::{App, HttpRequest, HttpServer, web};
use actix_web_actors::ws::{self, WebsocketContext};
use bytestring::ByteString;
use nix::time::{ClockId, clock_gettime};
use stationd::domain::{Frame, Live, Timestamp};
use support::{Server, TOKEN, median, percentile};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Messages that the publisher sends at a time at full speed; fewer than a quarter of a queue.
const BATCH: usize = 64;
/// Connections after which threads, caches and allocator have what they need.
const WARM: usize = 50;
/// Batches at full speed.
const BATCHES: usize = 30;

fn main() {
    support::raise_limits();
    match support::role().as_deref() {
        Some("station") => station(),
        Some(_) => bare(),
        None => measure(),
    }
}

fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Nanoseconds of a clock that all processes share.
fn now() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is a monotonic clock");
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}

fn message() -> Live {
    Live::Log { level: "INFO".to_owned(), target: now().to_string(), message: "x".repeat(195) }
}

/// Carries out `batch` and `rate N SECONDS`.
fn publish_as(order: &str, publish: &dyn Fn(Live)) {
    let words: Vec<&str> = order.split(' ').collect();
    match words[..] {
        ["batch"] => (0..BATCH).for_each(|_| publish(message())),
        ["rate", rate, seconds] => {
            let (rate, seconds): (u32, u32) =
                (rate.parse().expect("a rate"), seconds.parse().expect("seconds"));
            let begun = Instant::now();
            for number in 0..rate * seconds {
                let due = begun + Duration::from_secs(1) / rate * number;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                publish(message());
            }
        }
        _ => panic!("unknown order {order}"),
    }
}

fn station() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    System::new().block_on(async {
        let app = support::app(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let feed = app.feed.clone();
        support::obey(&listener, move |order| publish_as(order, &|live| feed.live(&live)));
        stationd::http::server(vec![listener], None, &app).expect("serves").await.expect("serves");
    });
}

#[derive(Message)]
#[rtype(result = "()")]
struct Text(ByteString);

struct Session(Arc<Mutex<Vec<Addr<Self>>>>);

impl Actor for Session {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(256);
        self.0.lock().expect("no panic").push(ctx.address());
    }
}

impl Handler<Text> for Session {
    type Result = ();

    fn handle(&mut self, Text(text): Text, ctx: &mut Self::Context) {
        ctx.text(text);
    }
}

impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for Session {
    fn handle(&mut self, it: Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        if let Ok(ws::Message::Text(_)) = it {
            ctx.text(r#"{"type":"subscribed"}"#);
        }
    }
}

fn bare() {
    System::new().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let sessions = Arc::new(Mutex::new(Vec::<Addr<Session>>::new()));
        let (send, receive) = mpsc::channel::<ByteString>();
        let all = sessions.clone();
        thread::spawn(move || {
            for text in receive {
                for session in all.lock().expect("no panic").iter() {
                    let mut text = Text(text.clone());
                    while let Err(SendError::Full(back)) = session.try_send(text) {
                        text = back; // nothing may be lost
                        thread::yield_now();
                    }
                }
            }
        });
        support::obey(&listener, move |order| {
            publish_as(order, &|live| {
                let frame = Frame::live(&live, Timestamp::now()).expect("serialises");
                send.send(frame.text).expect("the hub lives");
            });
        });
        let serve = |sessions: web::Data<Arc<Mutex<Vec<Addr<Session>>>>>,
                     request: HttpRequest,
                     payload: web::Payload| async move {
            ws::start(Session(sessions.get_ref().clone()), &request, payload)
        };
        HttpServer::new(move || {
            App::new().app_data(web::Data::new(sessions.clone())).route("/ws", web::get().to(serve))
        })
        .workers(2)
        .tcp_nodelay(true)
        .listen(listener)
        .expect("listens")
        .run()
        .await
        .expect("serves");
    });
}

/// What a subscriber reports.
enum News {
    /// It has so many messages.
    Batch,
    /// Each message's way took so many milliseconds.
    Latencies(Vec<f64>),
}

struct Crowd {
    server: Server,
    news: tokio::sync::mpsc::UnboundedReceiver<News>,
    subscribers: usize,
    /// Resident bytes of the server with the first few connections.
    before: u64,
}

impl Crowd {
    async fn gather(role: &str, subscribers: usize) -> Self {
        let server = Server::start(role);
        let mut before = 0;
        let (tell, news) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..subscribers {
            if number == WARM {
                before = server.resident();
            }
            let stream = connect(server.port).await;
            tokio::spawn(listen(stream, tell.clone()));
        }
        Self { server, news, subscribers, before }
    }

    /// Resident kilobytes that each connection costs the server just now.
    fn kilobytes(&self) -> f64 {
        let grown = self.server.resident().saturating_sub(self.before);
        grown as f64 / 1024.0 / (self.subscribers - WARM) as f64
    }

    /// Sends so many batches, two ahead of the slowest; seconds until all have arrived.
    async fn batches(&mut self, count: usize) -> f64 {
        let begun = Instant::now();
        let mut sent = 0;
        let mut arrived = 0;
        while arrived < count * self.subscribers {
            if sent < count && arrived + 2 * self.subscribers > sent * self.subscribers {
                self.server.order("batch");
                sent += 1;
                continue;
            }
            match self.wait().await {
                News::Batch => arrived += 1,
                News::Latencies(_) => {}
            }
        }
        begun.elapsed().as_secs_f64()
    }

    /// Deliveries a second, and microseconds of the server's processor time for each.
    async fn at_full_speed(&mut self, deliveries: f64) -> (f64, f64) {
        let before = self.server.processor();
        let speed = deliveries / self.batches(BATCHES).await;
        (speed, (self.server.processor() - before) * 1e6 / deliveries)
    }

    async fn wait(&mut self) -> News {
        let news = tokio::time::timeout(Duration::from_secs(30), self.news.recv()).await;
        news.expect("a message was lost").expect("subscribers live")
    }

    /// Milliseconds of each delivery at that rate.
    async fn paced(&mut self, rate: usize, seconds: usize) -> Vec<f64> {
        while let Ok(Some(_)) =
            tokio::time::timeout(Duration::from_millis(50), self.news.recv()).await
        {}
        let batches = rate * seconds / BATCH;
        self.server.order(&format!("rate {rate} {seconds}"));
        let mut all = Vec::new();
        let mut arrived = 0;
        while arrived < batches * self.subscribers {
            match self.wait().await {
                News::Batch => arrived += 1,
                News::Latencies(some) => all.extend(some),
            }
        }
        all
    }
}

async fn connect(port: u16) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connects");
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         authorization: Bearer {TOKEN}\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("writes");
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(stream.read_u8().await.expect("answers"));
    }
    assert!(seen.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&seen));
    // Masked with zeros: a frame of a client (RFC 6455, section 5.3).
    let text = br#"{"type":"SUBSCRIBE","channels":["logs"],"ack":true}"#;
    let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).expect("short"), 0, 0, 0, 0];
    frame.extend_from_slice(text);
    stream.write_all(&frame).await.expect("writes");
    let [_, length] = stream.read_u16().await.expect("answers").to_be_bytes();
    let mut acknowledgement = vec![0; usize::from(length)];
    stream.read_exact(&mut acknowledgement).await.expect("answers");
    stream
}

/// Counts messages; parses no more of them than it must.
async fn listen(stream: TcpStream, tell: tokio::sync::mpsc::UnboundedSender<News>) {
    const MARK: &[u8] = b"\"target\":\"";
    thread_local! { static BUFFER: std::cell::RefCell<Vec<u8>> = std::cell::RefCell::new(vec![0; 1 << 18]); }
    let (mut rest, mut count, mut latencies) = (Vec::new(), 0_usize, Vec::new());
    loop {
        if stream.readable().await.is_err() {
            return;
        }
        let alive = BUFFER.with_borrow_mut(|buffer| {
            let kept = rest.len();
            buffer[..kept].copy_from_slice(&rest);
            let Ok(read) = stream.try_read(&mut buffer[kept..]) else { return true };
            let (mut bytes, at) = (&buffer[..kept + read], now());
            while bytes.len() >= 4 {
                let (head, length) = match bytes[1] {
                    126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
                    short => (2, usize::from(short)),
                };
                if bytes.len() < head + length {
                    break;
                }
                let text = &bytes[head..head + length];
                bytes = &bytes[head + length..];
                if let Some(mark) = text.windows(MARK.len()).position(|it| it == MARK) {
                    let digits =
                        text[mark + MARK.len()..].iter().take_while(|it| it.is_ascii_digit());
                    let sent = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
                    latencies.push((at - sent) as f64 / 1e6);
                    count += 1;
                    if count % BATCH == 0 {
                        let _ = tell.send(News::Latencies(std::mem::take(&mut latencies)));
                        let _ = tell.send(News::Batch);
                    }
                } else if text.windows(8).any(|it| it == b"\"lagged\"") {
                    panic!("a message was lost: {}", String::from_utf8_lossy(text));
                }
            }
            rest.clear();
            rest.extend_from_slice(bytes);
            read > 0
        });
        if !alive {
            return;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn measure() {
    let subscribers = setting("SUBSCRIBERS", 1000);
    let (rounds, seconds) = (setting("ROUNDS", 5), setting("SECONDS", 8));
    let mut ours = Crowd::gather("station", subscribers).await;
    let mut bare = Crowd::gather("bare", subscribers).await;
    println!("{subscribers} subscribers, each has its acknowledgement");
    for (name, crowd) in [("station", &mut ours), ("bare", &mut bare)] {
        let idle = crowd.kilobytes();
        let mut latencies = crowd.paced(128, seconds).await;
        println!(
            "{name} at 128 events/s: p50 {:.1} ms, p99 {:.1} ms, {} deliveries, none lost; \
             KB a connection: {idle:.1} before, {:.1} after",
            percentile(&mut latencies, 0.5),
            percentile(&mut latencies, 0.99),
            latencies.len(),
            crowd.kilobytes(),
        );
    }
    let (mut fast, mut limit, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let deliveries = (BATCH * BATCHES * subscribers) as f64;
        let (mine, my_cost) = ours.at_full_speed(deliveries).await;
        let (its, its_cost) = bare.at_full_speed(deliveries).await;
        println!(
            "full speed: station {mine:.0}/s, {my_cost:.2} µs of processor each; bare {its:.0}/s, \
             {its_cost:.2} µs"
        );
        fast.push(mine);
        limit.push(its);
        ratios.push(mine / its);
    }
    println!(
        "full speed, medians of {rounds}: station {:.0}/s, bare {:.0}/s, ratio {:.2}; \
         KB a connection after it: station {:.1}, bare {:.1}",
        median(&mut fast),
        median(&mut limit),
        median(&mut ratios),
        ours.kilobytes(),
        bare.kilobytes(),
    );
}
