use atmq_protocol::mqtt::Change;

use super::Rule;

/// Seconds that Alibaba Cloud accepts as keepalive (documented, reference `clouds.md` 5).
const ALIBABA_KEEPALIVE: std::ops::RangeInclusive<u16> = 30..=1200;

/// The manual's default, in seconds.
const KEEPALIVE: u16 = 120;

/// What the host should know of its settings of one connection.
#[derive(Debug)]
pub(super) struct Settings {
    /// CLOSE leaves them as they are.
    kept: bool,
    /// The keys of those made since the last link ended.
    made: Vec<&'static str>,
    /// The keys of those of the last connection that had any.
    lost: Vec<&'static str>,
    /// In seconds.
    keep_alive: u16,
    /// The platform is Alibaba Cloud.
    alibaba: bool,
}

impl Settings {
    /// `kept`: whether CLOSE leaves them as they are.
    pub(super) fn new(kept: bool) -> Self {
        Self {
            kept,
            made: Vec::new(),
            lost: Vec::new(),
            keep_alive: KEEPALIVE,
            alibaba: false,
        }
    }

    /// The host makes a setting. Whether it had not made it before.
    pub(super) fn make(&mut self, key: &'static str, change: Change) -> bool {
        match change {
            Change::KeepAlive(seconds) => self.keep_alive = seconds,
            Change::Platform { alibaba } => self.alibaba = alibaba,
            _ => {}
        }
        let new = !self.made.contains(&key);
        if new {
            self.made.push(key);
        }
        new
    }

    /// The module has refused the setting that was made last, which was new.
    pub(super) fn take_back(&mut self) {
        self.made.pop();
    }

    /// The connection is opened to this host. Those that the connection before had should have
    /// been made again.
    pub(super) fn open(&mut self, host: &str, notice: &mut impl FnMut(Rule, String)) {
        self.alibaba |= host.ends_with(".aliyuncs.com");
        let missing = self.lost.iter().filter(|key| !self.made.contains(key));
        let missing: Vec<_> = missing.copied().collect();
        if missing.is_empty() || self.kept {
            return;
        }
        let rule = if self.made.is_empty() {
            Rule::ConfigurationLost
        } else {
            Rule::ConfigurationDiffers
        };
        notice(rule, format!("not set again: {}", missing.join(", ")));
    }

    /// CONNECT carries them.
    pub(super) fn connect(&self, notice: &mut impl FnMut(Rule, String)) {
        if self.alibaba && !ALIBABA_KEEPALIVE.contains(&self.keep_alive) {
            let (from, to) = ALIBABA_KEEPALIVE.into_inner();
            let seconds = self.keep_alive;
            let detail = format!("{seconds} s, Alibaba Cloud accepts {from} to {to}");
            notice(Rule::KeepaliveOutOfRange, detail);
        }
    }

    /// The link is no more, and they with it.
    pub(super) fn end(&mut self) {
        if !self.made.is_empty() {
            self.lost = std::mem::take(&mut self.made);
        }
        self.keep_alive = KEEPALIVE;
        self.alibaba = false;
    }
}
