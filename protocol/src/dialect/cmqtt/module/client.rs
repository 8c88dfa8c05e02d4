use alloc::string::String;
use alloc::vec::Vec;

use crate::Secret;
use crate::mqtt::{AliDevice, QoS, TopicFilter, Version, Will};

/// What is remembered of a client. All of it is lost when it is released.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// What it was acquired with.
    pub(super) acquired: Option<Acquired>,
    /// The TLS context, until it disconnects.
    pub(super) context: Option<u8>,
    pub(super) settings: Settings,
    /// Commands and messages have their topic on one line, messages perhaps their length.
    pub(super) one_line: Option<bool>,
    pub(super) will_topic: Option<String>,
    /// Of the next CONNECT.
    pub(super) will: Option<Will>,
    /// What it was connected with.
    pub(super) peer: Option<Peer>,
    pub(super) topic: Option<String>,
    pub(super) payload: Vec<u8>,
    pub(super) collected: Vec<TopicFilter>,
    pub(super) unwanted: Vec<String>,
    /// The topics that it is subscribed to.
    pub(super) subscribed: Vec<String>,
    /// What the subscribe or unsubscribe under way is about.
    pub(super) changing: Vec<String>,
    pub(super) connecting: bool,
    pub(super) connected: bool,
    pub(super) publishing: bool,
    pub(super) subscribing: bool,
    pub(super) unsubscribing: bool,
    pub(super) disconnecting: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Acquired {
    pub(super) client_id: String,
    pub(super) secured: bool,
}

/// What `AT+CMQTTCFG` sets, and the version where ACCQ does.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) check_utf8: bool,
    /// Seconds.
    pub(super) timeout: u8,
    pub(super) version: Version,
    pub(super) device: Option<AliDevice<'static>>,
    /// The packet data context, if it is another than the service's.
    pub(super) cid: Option<u8>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            check_utf8: true,
            timeout: 120,
            version: Version::V3_1,
            device: None,
            cid: None,
        }
    }
}

/// What CONNECT was given.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) url: String,
    pub(super) keep_alive: u16,
    pub(super) clean_session: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret<'static>>,
}

/// A message to publish.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) topic: String,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) payload: Vec<u8>,
}

/// What was under way.
pub(super) struct UnderWay {
    pub(super) publishing: bool,
    pub(super) subscribing: bool,
    pub(super) unsubscribing: bool,
}

impl Client {
    /// It is connected no longer, or has not been: what belongs to the link is forgotten.
    pub(super) fn disconnected(&mut self) -> UnderWay {
        let under_way = UnderWay {
            publishing: self.publishing,
            subscribing: self.subscribing,
            unsubscribing: self.unsubscribing,
        };
        let acquired = self.acquired.take();
        let settings = core::mem::take(&mut self.settings);
        let one_line = self.one_line;
        *self = Self {
            acquired,
            settings,
            one_line,
            ..Self::default()
        };
        under_way
    }

    /// A subscribe or unsubscribe has come to its end. Whether it was under way.
    pub(super) fn changed(&mut self, unsubscribed: bool, done: bool) -> bool {
        let flag = match unsubscribed {
            true => &mut self.unsubscribing,
            false => &mut self.subscribing,
        };
        if !core::mem::take(flag) {
            return false;
        }
        let changed = core::mem::take(&mut self.changing);
        if done {
            self.subscribed.retain(|topic| !changed.contains(topic));
            if !unsubscribed {
                self.subscribed.extend(changed);
            }
        }
        true
    }
}
