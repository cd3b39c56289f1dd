//! A station as anybody starts it: the program that Cargo built for this bench, in a process of
//! its own.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_stationd");

/// A running station.
pub(crate) struct Station {
    process: Child,
    /// Where it listens, on loopback.
    pub(crate) port: u16,
    /// From its launch until `/ready` said yes.
    pub(crate) ready: Duration,
}

impl Station {
    /// Starts it and asks `/ready` until it says yes.
    pub(crate) fn start(workspace: &Path, config: &str) -> io::Result<Self> {
        let mut command = Command::new(PROGRAM);
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"STATIOND_") {
                command.env_remove(name);
            }
        }
        let file = workspace.join("bench.yaml");
        fs::write(&file, config)?;
        command.arg("start").arg("--workspace").arg(workspace).arg("--config").arg(file);
        // A port of our own choice, so that it can be asked before it has said anything.
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        command.args(["--port", &port.to_string(), "--log-level", "warn"]);
        if let Ok(drivers) = env::var("SIMULATE") {
            command.arg(format!("--simulate={drivers}"));
        }
        let since = Instant::now();
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut station = Self { process, port, ready: Duration::ZERO };
        while station.get("/ready").is_err() {
            if let Some(status) = station.process.try_wait()? {
                return Err(io::Error::other(format!("the station ended: {status}")));
            }
            thread::sleep(Duration::from_micros(200));
        }
        station.ready = since.elapsed();
        Ok(station)
    }

    /// One request; its answer, an error unless that is 200.
    pub(crate) fn get(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 200") { Ok(answer) } else { Err(io::Error::other(answer)) }
    }

    /// CPU time that all its threads have used, in seconds.
    pub(crate) fn cpu(&self) -> io::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // After the name, which may hold blanks: field 3 on; 14 and 15 are user and system time.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u32 =
            fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
        let rate = sysconf(SysconfVar::CLK_TCK)?.and_then(|rate| i32::try_from(rate).ok());
        Ok(f64::from(ticks) / f64::from(rate.unwrap_or(100)))
    }

    /// Resident memory in megabytes.
    pub(crate) fn rss(&self) -> io::Result<f64> {
        let kilobytes: u32 = self.status("VmRSS:")?.parse().map_err(io::Error::other)?;
        Ok(f64::from(kilobytes) * 1024.0 / 1e6)
    }

    pub(crate) fn status(&self, name: &str) -> io::Result<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|rest| rest.split_whitespace().next());
        value.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no {name}")))
    }

    pub(crate) fn stop(mut self) -> io::Result<()> {
        let pid = i32::try_from(self.process.id()).map_err(io::Error::other)?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)?;
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended: {status}"))) }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it has ended already, unless something failed
        let _ = self.process.wait();
    }
}
