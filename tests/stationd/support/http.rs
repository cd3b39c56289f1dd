//! An HTTP/1.1 client of few words over TCP or the Unix socket, one connection a request.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
};

use serde_json::Value;

use super::DEADLINE;

/// A connection of either kind.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

#[derive(Clone, Debug)]
enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Where a station is asked, and what every request carries.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    target: Target,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header, by its name without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The body as JSON. Fails unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// The detail of a refusal. Fails unless it has this status and the form of RFC 9457.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.expect(status);
        assert_eq!(problem["status"], status, "{problem}");
        problem["detail"].as_str().unwrap_or_else(|| panic!("no detail: {problem}")).to_owned()
    }
}

impl Client {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Self { target: Target::Tcp(address), headers: Vec::new() }
    }

    pub(crate) fn unix(socket: PathBuf) -> Self {
        Self { target: Target::Unix(socket), headers: Vec::new() }
    }

    /// The same client with one header more on every request.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client with a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// A fresh connection, on which a read or write fails at the deadline.
    pub(crate) fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.target {
            Target::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                stream.set_write_timeout(Some(DEADLINE))?;
                Box::new(stream)
            }
            Target::Unix(socket) => {
                let stream = UnixStream::connect(socket)?;
                stream.set_read_timeout(Some(DEADLINE))?;
                stream.set_write_timeout(Some(DEADLINE))?;
                Box::new(stream)
            }
        })
    }

    /// The first lines of a request, up to and with the empty one.
    pub(crate) fn head(&self, method: &str, path: &str, more: &[(&str, &str)]) -> String {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<_> = own.chain(more.iter().copied()).collect();
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            let host = match &self.target {
                Target::Tcp(address) => address.to_string(),
                Target::Unix(_) => "localhost".to_owned(),
            };
            head.extend(["Host: ", &host, "\r\n"]);
        }
        for (name, value) in headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head + "\r\n"
    }

    /// Asks, and tells if the station is not there or goes away meanwhile.
    pub(crate) fn attempt(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let length = body.len().to_string();
        let mut all = vec![("Connection", "close"), ("Content-Length", length.as_str())];
        all.extend(headers);
        let mut stream = self.connect()?;
        stream.write_all(self.head(method, path, &all).as_bytes())?;
        // A refusal may come, and the connection be closed, before the body has been read.
        let written = stream.write_all(body);
        read_answer(&mut BufReader::new(stream)).or_else(|error| written.and(Err(error)))
    }

    #[track_caller]
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.attempt(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], b"")
    }

    /// Posts JSON; `Value::Null` is an empty body.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.request("POST", path, &[("Content-Type", "application/json")], body.as_bytes())
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, &[], b"")
    }
}

/// Reads one answer; the connection may go on afterwards.
pub(crate) fn read_answer(stream: &mut impl BufRead) -> io::Result<Answer> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| invalid("no status line"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    if answer.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = usize::from_str_radix(&line(stream)?, 16);
            let size = size.map_err(|_| invalid("a bad chunk"))?;
            let start = answer.body.len();
            answer.body.resize(start + size, 0);
            stream.read_exact(&mut answer.body[start..])?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = answer.header("content-length") {
        answer.body.resize(length.parse().map_err(|_| invalid("a bad length"))?, 0);
        stream.read_exact(&mut answer.body)?;
    } else if status != 101 && status != 204 {
        stream.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}
