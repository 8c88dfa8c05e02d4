//! The one task that owns a port and its session.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::counters::Counters;
use crate::error::{Disconnected, Error, PortClosed, RequestError};
use crate::messages::{Delivery, Link, Message};
use crate::session::{Answer, Command, Event, Session, Transmit, is_loss};
use crate::settings::{Direction, Tap, Tapped};

/// Bytes read at a time. Ours: as much as the kernel's buffer of a terminal holds.
const READ_SIZE: usize = 4096;

/// What a handle asks of the task.
pub(crate) enum Call {
    /// An exchange, on behalf of `link` if it is given: it fails if that has ended meanwhile.
    Exchange {
        command: Command,
        limit: Option<Duration>,
        link: Option<Arc<Link>>,
        reply: oneshot::Sender<Result<Answer, Error>>,
    },
    /// Deliver what comes for the link's connection to it, if all commands can be written. The
    /// answer is what the module accepts, or nothing while another link uses the connection.
    Attach {
        link: Arc<Link>,
        commands: Vec<Command>,
        reply: oneshot::Sender<Result<Option<Limits>, RequestError>>,
    },
    /// The link has been closed.
    Detach {
        link: Arc<Link>,
        reason: Disconnected,
    },
    /// Nobody knows what the module still owes.
    Synchronise,
    /// What the module accepts.
    SetLimits(Box<Limits>),
    /// Unsolicited lines are wanted.
    Lines(mpsc::Sender<Vec<u8>>),
}

/// What the task shares with its handles.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) counters: Mutex<Counters>,
    /// What the module accepts, once it is known.
    pub(crate) limits: Mutex<Option<Limits>>,
    pub(crate) closed: Mutex<Option<PortClosed>>,
    pub(crate) drained: Arc<Notify>,
}

/// The task: [`run`](Self::run) it on a port.
pub(crate) struct PortTask {
    session: Session,
    calls: mpsc::Receiver<Call>,
    shared: Arc<Shared>,
    tap: Option<Tap>,
    links: Vec<Arc<Link>>,
    lines: Vec<mpsc::Sender<Vec<u8>>>,
    /// Who waits for the exchange in progress.
    reply: Option<oneshot::Sender<Result<Answer, Error>>>,
    /// What the session cannot count: what became of messages and lines.
    delivered: Counters,
}

impl PortTask {
    pub(crate) fn new(
        session: Session,
        calls: mpsc::Receiver<Call>,
        shared: Arc<Shared>,
        tap: Option<Tap>,
    ) -> Self {
        Self {
            session,
            calls,
            shared,
            tap,
            links: Vec::new(),
            lines: Vec::new(),
            reply: None,
            delivered: Counters::default(),
        }
    }

    /// Runs until the port fails or ends, or the last handle is gone and nothing is under way.
    pub(crate) async fn run(mut self, port: impl AsyncRead + AsyncWrite) {
        let why = match self.pump(port).await {
            Ok(()) => "the last handle was dropped".into(),
            Err(error) => error.to_string(),
        };
        tracing::debug!(why, "port closed");
        let reason = PortClosed(why.into());
        *lock(&self.shared.closed) = Some(reason.clone());
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Err(Error::PortClosed(reason.clone())));
        }
        for link in &self.links {
            link.end(Disconnected::PortClosed(reason.clone()));
        }
    }

    async fn pump(&mut self, port: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (mut reader, mut writer) = tokio::io::split(port);
        let mut buffer = vec![0; READ_SIZE];
        let mut out: Option<(Transmit, usize)> = None;
        let mut open = true;
        let drained = self.shared.drained.clone();
        loop {
            self.settle();
            if out.is_none() {
                out = self.session.poll_transmit().map(|transmit| (transmit, 0));
                if let Some((transmit, _)) = &out {
                    self.show(Direction::HostToModule, &transmit.bytes, &transmit.secrets);
                }
            }
            let held_back = !self.session.is_listening() && self.is_full();
            let deadline = self.session.poll_timeout();
            let idle = out.is_none() && !self.session.is_listening();
            if !open && idle && self.links.iter().all(is_over) {
                return Ok(());
            }
            tokio::select! {
                read = reader.read(&mut buffer), if !held_back => {
                    let length = read?;
                    if length == 0 {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the device or peer has closed it",
                        ));
                    }
                    let bytes = &buffer[..length];
                    self.show(Direction::ModuleToHost, bytes, &[]);
                    self.session.receive(bytes, Instant::now().into_std());
                }
                written = write(&mut writer, &out) => match (written?, &mut out) {
                    (Some(written), Some((_, from))) => *from += written,
                    _ => out = None,
                },
                call = self.calls.recv(), if open && self.session.is_ready() => match call {
                    Some(call) => self.call(call),
                    None => open = false,
                },
                () = wait_until(deadline.map(Instant::from_std)) => {
                    self.session.handle_timeout(Instant::now().into_std());
                }
                () = drained.notified(), if held_back || !open => {}
            }
        }
    }

    fn call(&mut self, call: Call) {
        match call {
            Call::Exchange {
                command,
                limit,
                link,
                reply,
            } => {
                if let Some(reason) = link.and_then(|link| link.ended()) {
                    let _ = reply.send(Err(Error::Disconnected(reason)));
                    return;
                }
                // A caller that is gone before its turn asks for nothing any more.
                if reply.is_closed() {
                    return;
                }
                let now = Instant::now().into_std();
                match self.session.request(command, limit, now) {
                    Ok(()) => self.reply = Some(reply),
                    Err(error) => {
                        let _ = reply.send(Err(error.into()));
                    }
                }
            }
            Call::Attach {
                link,
                commands,
                reply,
            } => {
                let _ = reply.send(self.attach(link, commands));
            }
            Call::Detach { link, reason } => {
                link.end(reason);
                self.links.retain(|other| !Arc::ptr_eq(other, &link));
            }
            Call::Synchronise => self.session.synchronise(Instant::now().into_std()),
            Call::SetLimits(limits) => {
                *lock(&self.shared.limits) = Some(Limits::clone(&limits));
                self.session.set_limits(*limits);
            }
            Call::Lines(lines) => self.lines.push(lines),
        }
    }

    fn attach(
        &mut self,
        link: Arc<Link>,
        commands: Vec<Command>,
    ) -> Result<Option<Limits>, RequestError> {
        for command in commands {
            self.session.check(command)?;
        }
        // A link that only this task knows has been dropped by everyone else.
        self.links.retain(|other| !is_over(other));
        if self.link(link.connection).is_some() {
            return Ok(None);
        }
        self.links.push(link);
        Ok(Some(self.session.limits().clone()))
    }

    /// Hands out what has happened.
    fn settle(&mut self) {
        self.lines.retain(|lines| !lines.is_closed());
        self.session.report_lines(!self.lines.is_empty());
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Completed(outcome) => {
                    if let Some(reply) = self.reply.take() {
                        // A caller that is gone does not want to know.
                        let _ = reply.send(outcome.map_err(Error::from));
                    }
                }
                Event::Urc(urc) => self.urc(urc),
                Event::Rebooted => self.end_links(|_| true, &Disconnected::Rebooted),
                Event::PoweredDown => self.end_links(|_| true, &Disconnected::PoweredDown),
                Event::Line(line) => self.line(&line),
                Event::Unrecognised(_) | Event::Overlong { .. } => {}
            }
        }
        *lock(&self.shared.counters) = Counters {
            messages: self.delivered.messages,
            messages_dropped: self.delivered.messages_dropped,
            messages_unclaimed: self.delivered.messages_unclaimed,
            module_overflows: self.delivered.module_overflows,
            lines_dropped: self.delivered.lines_dropped,
            ..*self.session.counters()
        };
    }

    fn urc(&mut self, urc: Urc<'static>) {
        match urc {
            Urc::Received {
                connection,
                message_id,
                topic,
                payload,
            } => {
                let message = Message {
                    topic: topic.into_owned(),
                    payload: payload.into_owned(),
                    message_id,
                };
                self.deliver(connection, message);
            }
            Urc::Status {
                connection,
                status: LinkStatus::CacheOverflow,
                ..
            } => {
                self.delivered.module_overflows += 1;
                if let Some(link) = self.link(connection) {
                    link.miss();
                }
            }
            Urc::Status {
                connection,
                status,
                extend,
            } if is_loss(status) => {
                let reason = Disconnected::LinkLost { status, extend };
                let ends = |link: &Link| link.connection == connection && link.is_armed();
                self.end_links(ends, &reason);
            }
            late => tracing::debug!(?late, "URC that nobody waits for"),
        }
    }

    fn deliver(&mut self, connection: ConnectionId, message: Message) {
        tracing::trace!(
            %connection,
            topic = message.topic,
            length = message.payload.len(),
            "message received"
        );
        self.delivered.messages += 1;
        let delivery = self.link(connection).map(|link| link.deliver(message));
        match delivery {
            Some(Delivery::Queued) => {}
            Some(Delivery::Dropped) => {
                tracing::warn!(%connection, "message dropped, its reader is too slow");
                self.delivered.messages_dropped += 1;
            }
            None | Some(Delivery::Unclaimed) => self.delivered.messages_unclaimed += 1,
        }
    }

    fn line(&mut self, line: &[u8]) {
        for lines in &self.lines {
            if let Err(mpsc::error::TrySendError::Full(_)) = lines.try_send(line.to_vec()) {
                self.delivered.lines_dropped += 1;
            }
        }
    }

    fn end_links(&mut self, which: impl Fn(&Link) -> bool, reason: &Disconnected) {
        self.links.retain(|link| {
            let ends = which(link);
            if ends {
                link.end(reason.clone());
            }
            !ends
        });
    }

    fn link(&self, connection: ConnectionId) -> Option<&Arc<Link>> {
        let mut links = self.links.iter();
        links.find(|link| link.connection == connection && link.ended().is_none())
    }

    fn is_full(&self) -> bool {
        self.links.iter().any(|link| link.is_full())
    }

    fn show(&self, direction: Direction, bytes: &[u8], secrets: &[std::ops::Range<usize>]) {
        if let Some(tap) = &self.tap {
            tap(&Tapped {
                at: Instant::now().into_std(),
                direction,
                bytes,
                secrets,
            });
        }
    }
}

/// Whether nobody uses the link any more.
fn is_over(link: &Arc<Link>) -> bool {
    link.ended().is_some() || Arc::strong_count(link) == 1
}

/// Writes some of what is left and tells how much; `None`: all was written and is on its way.
/// Each call does one thing, so that nothing is written twice if it is cancelled.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    out: &Option<(Transmit, usize)>,
) -> io::Result<Option<usize>> {
    let Some((transmit, from)) = out else {
        return pending().await;
    };
    let rest = &transmit.bytes[*from..];
    if rest.is_empty() {
        writer.flush().await?;
        return Ok(None);
    }
    match writer.write(rest).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(Some(written)),
    }
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Locks what is only ever copied in and out.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics with the lock held")
}
