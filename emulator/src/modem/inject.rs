//! What a program has the module say or lose, whether or not the module would.

use std::time::Instant;

use atmq_protocol::dialect::Report;
use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};

use super::fault::{FaultError, check_length};
use super::{Happening, Modem};
use crate::network::NetworkRequest;

impl Modem {
    /// Has the module send a line as if it were a URC: between line ends, when no command is being
    /// executed, and when it is awake. The line is not looked at.
    ///
    /// # Errors
    /// [`FaultError::TooLong`] beyond 16 KiB, [`FaultError::Congested`] while the host does not
    /// read, [`FaultError::NotRunning`].
    pub fn inject(&mut self, line: &[u8], now: Instant) -> Result<(), FaultError> {
        self.check_injected(line.len())?;
        self.happened(Happening::Injected(line.to_vec()));
        self.output.urc(now, |out| out.extend_from_slice(line));
        self.drive(now);
        Ok(())
    }

    /// Has the module send bytes at once, even within the answer to a command: noise, half a
    /// line, a line that another one cuts in two.
    ///
    /// # Errors
    /// As those of [`inject`](Self::inject).
    pub fn inject_bytes(&mut self, bytes: &[u8], now: Instant) -> Result<(), FaultError> {
        self.check_injected(bytes.len())?;
        self.happened(Happening::InjectedBytes(bytes.len()));
        self.output.raw(bytes);
        self.drive(now);
        Ok(())
    }

    /// Has the module report this in the words of its dialect, whether or not it is so. What it
    /// does stays as it is; see [`lose_link`](Self::lose_link) for a loss that is one.
    ///
    /// # Errors
    /// As those of [`inject`](Self::inject), and [`FaultError::NoConnection`].
    pub fn inject_urc(&mut self, urc: &Urc, now: Instant) -> Result<(), FaultError> {
        let id = urc.connection();
        self.check_connection(id)?;
        self.check_injected(0)?;
        let report = Report {
            outcome: false,
            ..self.face.report(urc.clone())
        };
        self.report(&report, now);
        self.drive(now);
        Ok(())
    }

    /// The link of a connection is lost for this reason, as far as the module can tell: it is
    /// closed, reported so, and the connection with its configuration is gone, or opened again by
    /// a module that reconnects. The broker sees a link that was closed without a DISCONNECT.
    ///
    /// # Errors
    /// [`FaultError::NoConnection`], [`FaultError::NotOpen`].
    pub fn lose_link(
        &mut self,
        connection: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
        now: Instant,
    ) -> Result<(), FaultError> {
        self.check_connection(connection)?;
        let ConnectionId(link) = connection;
        if self.connection(connection).is_closed() {
            return Err(FaultError::NotOpen { connection: link });
        }
        self.network.push_back(NetworkRequest::Close { link });
        self.lose(connection, status, code, now);
        self.drive(now);
        Ok(())
    }

    fn check_injected(&self, length: usize) -> Result<(), FaultError> {
        check_length(length)?;
        if !self.is_running() {
            return Err(FaultError::NotRunning);
        }
        match self.takes_network() {
            true => Ok(()),
            false => Err(FaultError::Congested {
                waiting: self.output.waiting(),
            }),
        }
    }

    fn check_connection(&self, ConnectionId(connection): ConnectionId) -> Result<(), FaultError> {
        let connections = self.profile.limits.connections;
        if connection >= connections {
            let last = connections.saturating_sub(1);
            return Err(FaultError::NoConnection { connection, last });
        }
        Ok(())
    }
}
