//! The TCP and TLS links of one module, on tokio.
//!
//! The module's core says what it wants with a [`NetworkRequest`] and is told what came of it with
//! a [`NetworkEvent`]; it sees neither socket nor task. Each link is one task, which costs an idle
//! link no buffer.

mod host_map;
mod link;
mod message;
mod outgoing;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

pub use host_map::{HostMap, HostRule, HostRuleError};
use link::{Events, Link, Target};
pub use message::{CloseReason, NetworkEvent, NetworkRequest, OpenFailure};
use outgoing::Outgoing;
pub use tls::{ClientIdentity, TlsOptions};

/// How a [`Network`] behaves.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// Where host names lead; one map serves all modules of a process.
    pub hosts: Arc<HostMap>,
    /// How long resolving, connecting and the TLS handshake may take together.
    pub open_time_limit: Duration,
}

impl Default for NetworkOptions {
    /// No mapping, and 10 s to open a link: the manual allows an OPEN 160 s, but hosts in the field
    /// wait 15 s for its result.
    fn default() -> Self {
        Self {
            hosts: Arc::default(),
            open_time_limit: Duration::from_secs(10),
        }
    }
}

/// The links of one module. Dropping it ends them at once.
pub struct Network {
    options: NetworkOptions,
    links: HashMap<u8, Handle>,
    tasks: JoinSet<()>,
    /// Kept to hand out copies, so the receiver never ends.
    sender: mpsc::Sender<(u64, NetworkEvent)>,
    receiver: mpsc::Receiver<(u64, NetworkEvent)>,
    /// Links that were ended here, for want of room, and whose end is still to be told.
    overrun: Vec<u8>,
    epoch: u64,
}

/// The end of a link that the module holds. Dropping it closes the link.
struct Handle {
    /// Tells this link from earlier ones of the same number.
    epoch: u64,
    outgoing: Arc<Outgoing>,
    task: AbortHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.outgoing.close();
    }
}

impl Network {
    /// Events on their way to the module, all links together; each of `Received` has at most 8 KiB.
    /// When so many wait, the links stop reading.
    const EVENTS: usize = 8;

    /// Bytes a link may have queued. A module that minds [`Network::is_congested`] stays far below,
    /// unless a session resumes with a large publish under each of its 64 identifiers, which is
    /// half of it.
    const BACKLOG_LIMIT: usize = 1024 * 1024;

    /// A network without links.
    pub fn new(options: NetworkOptions) -> Self {
        let (sender, receiver) = mpsc::channel(Self::EVENTS);
        Self {
            options,
            links: HashMap::new(),
            tasks: JoinSet::new(),
            sender,
            receiver,
            overrun: Vec::new(),
            epoch: 0,
        }
    }

    /// Does what the module wants; never waits.
    ///
    /// # Panics
    /// When a link is opened outside a tokio runtime.
    pub fn request(&mut self, request: NetworkRequest) {
        match request {
            NetworkRequest::Open {
                link,
                host,
                port,
                tls,
            } => self.open(link, host, port, tls),
            NetworkRequest::Send { link, bytes } => self.send(link, bytes),
            NetworkRequest::Close { link } => self.forget(link),
        }
    }

    /// The next event. Never ends; dropping the future loses nothing.
    pub async fn next_event(&mut self) -> NetworkEvent {
        loop {
            if let Some(link) = self.overrun.pop() {
                let limit = Self::BACKLOG_LIMIT;
                let reason = CloseReason::Overrun { limit };
                return NetworkEvent::Closed { link, reason };
            }
            let received = self.receiver.recv().await;
            let (epoch, event) = received.expect("a sender is kept here");
            if self.is_current(epoch, &event) {
                return event;
            }
        }
    }

    /// Whether a link has so much to write that the module should take nothing more from its host.
    /// [`NetworkEvent::Drained`] or [`NetworkEvent::Closed`] tells when to ask again.
    pub fn is_congested(&self) -> bool {
        self.links
            .values()
            .any(|handle| handle.outgoing.is_congested())
    }

    fn open(&mut self, link: u8, host: String, port: u16, tls: Option<TlsOptions>) {
        // Those that have ended are let go here, where their number can grow.
        while self.tasks.try_join_next().is_some() {}
        self.forget(link);
        self.epoch += 1;
        let outgoing = Arc::new(Outgoing::default());
        let (target_host, target_port) = self.options.hosts.target(&host, port);
        let target = Target {
            host: host_map::without_brackets(target_host).to_owned(),
            port: target_port,
            name: host,
            tls,
            time_limit: self.options.open_time_limit,
        };
        let end = Link {
            outgoing: Arc::clone(&outgoing),
            events: Events {
                link,
                epoch: self.epoch,
                sender: self.sender.clone(),
            },
        };
        let handle = Handle {
            epoch: self.epoch,
            outgoing,
            task: self.tasks.spawn(end.run(Box::new(target))),
        };
        self.links.insert(link, handle);
    }

    /// Closes a link, in its own time, and takes no more events of it.
    fn forget(&mut self, link: u8) {
        self.links.remove(&link);
        self.overrun.retain(|&overrun| overrun != link);
    }

    fn send(&mut self, link: u8, bytes: Vec<u8>) {
        let Some(handle) = self.links.get(&link) else {
            return;
        };
        // A task that has ended takes nothing, which its last event tells.
        if handle.outgoing.push(bytes) > Self::BACKLOG_LIMIT {
            handle.task.abort();
            self.links.remove(&link);
            self.overrun.push(link);
        }
    }

    /// Whether an event is of a link that still stands; forgets the link if it is its last.
    fn is_current(&mut self, epoch: u64, event: &NetworkEvent) -> bool {
        let (link, last) = match event {
            NetworkEvent::OpenFailed { link, .. } | NetworkEvent::Closed { link, .. } => {
                (link, true)
            }
            NetworkEvent::Opened { link }
            | NetworkEvent::Received { link, .. }
            | NetworkEvent::Drained { link } => (link, false),
        };
        let current = self
            .links
            .get(link)
            .is_some_and(|handle| handle.epoch == epoch);
        if current && last {
            self.links.remove(link);
        }
        current
    }
}
