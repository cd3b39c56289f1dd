//! A server of the test: answers posts as it is told, and remembers them.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::Value;

use crate::support::eventually;

/// One post.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Post {
    /// A header, by its name without regard to case.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the server does with posts.
#[derive(Clone, Debug)]
pub(super) enum Mood {
    /// Answers with this status and these headers.
    Answers(u16, &'static str),
    /// Reads, and never answers.
    Silent,
}

#[derive(Default)]
struct Seen {
    posts: Mutex<Vec<Post>>,
    over: AtomicBool,
}

/// A running server. Dropped, it is gone, and its port is free.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    seen: Arc<Seen>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Receiver {
    /// On any free port.
    pub(super) fn start(mood: Mood) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), mood)
    }

    /// On this port.
    pub(super) fn at(address: SocketAddr, mood: Mood) -> Self {
        Self::begin(address, mood, None)
    }

    fn begin(address: SocketAddr, mood: Mood, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = eventually("the port is free", || TcpListener::bind(address).ok());
        let address = listener.local_addr().unwrap();
        let (mood, seen) = (Arc::new(Mutex::new(mood)), Arc::<Seen>::default());
        let (own_mood, own_seen) = (Arc::clone(&mood), Arc::clone(&seen));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if own_seen.over.load(Ordering::SeqCst) {
                    return;
                }
                let (mood, seen) = (Arc::clone(&own_mood), Arc::clone(&own_seen));
                let tls = tls.clone();
                thread::spawn(move || match tls {
                    None => serve(stream, &mood, &seen),
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(connection, stream), &mood, &seen);
                    }
                });
            }
        });
        Self { address, mood, seen, thread: Some(thread) }
    }

    /// On any free port, by TLS with this key and certificate (PEM).
    pub(super) fn secured(key: &Path, certificate: &Path, mood: Mood) -> Self {
        let certificates: Vec<_> =
            CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::begin(address, mood, Some(Arc::new(config)))
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn mood(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(super) fn posts(&self) -> Vec<Post> {
        self.seen.posts.lock().unwrap().clone()
    }

    /// Waits until there were so many posts.
    #[track_caller]
    pub(super) fn await_posts(&self, count: usize) -> Vec<Post> {
        eventually(&format!("{count} posts"), || {
            let posts = self.posts();
            (posts.len() >= count).then_some(posts)
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.seen.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: impl Read + Write, mood: &Mutex<Mood>, seen: &Seen) {
    let mut stream = BufReader::new(stream);
    let Some(post) = read(&mut stream) else { return };
    // Remembered before it is answered: whoever has the answer finds it here.
    seen.posts.lock().unwrap().push(post);
    let mood = mood.lock().unwrap().clone();
    let mut stream = stream.into_inner();
    match mood {
        Mood::Answers(status, headers) => {
            let answer = format!(
                "HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: 5\r\n\r\nhello"
            );
            let _ = stream.write_all(answer.as_bytes()); // whoever asked may be gone
        }
        Mood::Silent => {
            let _ = stream.read(&mut [0]); // until the other side gives up
        }
    }
}

fn read(stream: &mut BufReader<impl Read>) -> Option<Post> {
    let mut line = || {
        let mut line = String::new();
        let length = stream.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut post = Post { path, headers, body: Vec::new() };
    let length = post.header("content-length").parse().ok()?;
    post.body.resize(length, 0);
    stream.read_exact(&mut post.body).ok()?;
    Some(post)
}
