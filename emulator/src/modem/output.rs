use std::collections::BTreeMap;
use std::time::Instant;

/// What the module has to say: at once, or when its time has come.
#[derive(Debug, Default)]
pub(super) struct Output {
    ready: Vec<u8>,
    /// URCs by the time from which they may be sent, and in order where it is the same.
    urcs: BTreeMap<(Instant, u64), Vec<u8>>,
    urc_bytes: usize,
    sequence: u64,
}

impl Output {
    /// Bytes to send, as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.ready.extend_from_slice(bytes);
    }

    /// A line, between the line ends that the module writes around each.
    pub(super) fn line(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.ready.extend_from_slice(b"\r\n");
        write(&mut self.ready);
        self.ready.extend_from_slice(b"\r\n");
    }

    /// A line that is sent from `due` on, as soon as no command is being executed.
    pub(super) fn urc(&mut self, due: Instant, write: impl FnOnce(&mut Vec<u8>)) {
        let mut line = Vec::new();
        write(&mut line);
        self.urc_bytes += line.len();
        self.sequence += 1;
        self.urcs.insert((due, self.sequence), line);
    }

    /// Makes ready the URCs whose time has come.
    pub(super) fn release(&mut self, now: Instant) {
        while let Some(first) = self.urcs.first_entry()
            && first.key().0 <= now
        {
            let line = first.remove();
            self.urc_bytes -= line.len();
            self.line(|out| out.extend_from_slice(&line));
        }
    }

    /// When the next URC is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.urcs.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes everything that is ready.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        (!self.ready.is_empty()).then(|| std::mem::take(&mut self.ready))
    }

    /// Bytes waiting, ready or not.
    pub(super) fn waiting(&self) -> usize {
        self.ready.len() + self.urc_bytes
    }

    /// Forgets what is not yet ready.
    pub(super) fn forget(&mut self) {
        self.urcs.clear();
        self.urc_bytes = 0;
    }
}
