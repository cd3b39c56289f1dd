//! Bytes in and out, and the loss of the port.

use std::{io, sync::atomic::Ordering};

use super::{DeviceStatus, Link, PACE, Report, Timestamp, Worker};

impl Worker {
    pub(super) fn open(&mut self) -> Result<Box<dyn Link>, (DeviceStatus, String)> {
        let found = self.port.identity().map(|path| path.display().to_string());
        if let (Some(expected), Some(found)) = (&self.state.identity, &found)
            && expected != found
        {
            let port = &self.options.port;
            let message = format!(
                "another machine is on {port}: {found} instead of {expected} \
                 (if it is meant to be: stationd device connect {} --accept)",
                self.options.name
            );
            return Err((DeviceStatus::Error, message));
        }
        let link = self
            .port
            .open(&self.options)
            .map_err(|error| (DeviceStatus::Disconnected, error.to_string()))?;
        if found.is_some() {
            self.state.identity = found;
        }
        Ok(link)
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) {
        let Some(link) = &mut self.state.link else { return };
        match link.read(buffer) {
            Ok(0) => self.lost("the link to the machine was lost"),
            Ok(count) => {
                let now = self.now();
                if now >= self.state.heard_at + PACE || self.state.heard_at.is_zero() {
                    self.state.heard_at = now;
                    self.heard.store(Timestamp::now().as_ms(), Ordering::Relaxed);
                }
                self.driver.receive(&buffer[..count], now);
            }
            Err(error) if transient(&error) => {}
            Err(error) => self.lost(&format!("the link to the machine was lost: {error}")),
        }
    }

    /// Writes what the driver wants to send, as much as the port takes now.
    pub(super) fn write(&mut self) {
        self.driver.transmit(&mut self.state.out);
        while !self.state.out.is_empty() {
            let Some(link) = &mut self.state.link else {
                self.state.out.clear();
                return;
            };
            match link.write(&self.state.out) {
                Ok(count) => drop(self.state.out.drain(..count)),
                Err(error) if transient(&error) => return,
                Err(error) => {
                    return self.lost(&format!("the link to the machine was lost: {error}"));
                }
            }
        }
        if std::mem::take(&mut self.state.unsent_stop) {
            self.estop.send_modify(|estop| {
                if let Some(estop) = estop {
                    estop.sent = true;
                }
            });
            (self.report)(Report::EstopSent);
        }
    }

    pub(super) fn lost(&mut self, reason: &str) {
        self.hang_up(reason);
        self.events();
        self.status(DeviceStatus::Disconnected, Some(reason.to_owned()));
        self.try_later();
    }

    pub(super) fn hang_up(&mut self, reason: &str) {
        if self.state.link.take().is_some() {
            self.state.out.clear();
            self.state.unsent_stop = false;
            self.driver.closed(reason, self.now());
        }
    }
}

fn transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
