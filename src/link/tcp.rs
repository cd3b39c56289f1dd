//! Machines on a network: a serial server, or a controller with an address of its own.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use super::port::Link;

const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Tcp {
    stream: TcpStream,
}

impl Tcp {
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let said =
            |error: io::Error| io::Error::new(error.kind(), format!("tcp://{address}: {error}"));
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
        for address in address.to_socket_addrs().map_err(said)? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => {
                    // A feed hold must not wait for an acknowledgement of what went before it.
                    stream.set_nodelay(true)?;
                    stream.set_nonblocking(true)?;
                    return Ok(Self { stream });
                }
                Err(error) => last = error,
            }
        }
        Err(said(last))
    }
}

impl Link for Tcp {
    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn discard(&mut self) {
        // What the network has taken cannot be had back.
    }
}
