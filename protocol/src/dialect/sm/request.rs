use alloc::borrow::Cow;

use crate::Secret;
use crate::mqtt::QoS;

/// What a command line asks of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// Change a setting.
    Configure(Setting<'a>),
    /// Show all settings.
    QueryConfiguration,
    /// Open the link and connect.
    Connect,
    /// Disconnect and close the link.
    Disconnect,
    /// Show how far the connection is.
    QueryState,
    /// Publish a message, whose payload follows.
    Publish {
        topic: Cow<'a, str>,
        /// Bytes behind the prompt.
        length: usize,
        qos: QoS,
        retain: bool,
    },
    Subscribe {
        filter: Cow<'a, str>,
        qos: QoS,
    },
    Unsubscribe {
        filter: Cow<'a, str>,
    },
    /// Whether the payload behind the prompt is written in hexadecimal digits.
    PublishHex(bool),
    QueryPublishHex,
    /// Choose TLS, or none.
    Tls(Tls<'a>),
    QueryTls,
    /// A device of Alibaba Cloud with its own secret.
    AliAuth(Device<'a>),
    QueryAliAuth,
    /// One with that of its product.
    AliDyna(Device<'a>),
    QueryAliDyna,
    /// How long the task that receives sleeps, in milliseconds; `None` is not at all.
    Sleep(Option<u16>),
    QuerySleep,
}

/// A setting of `AT+SMCONF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Setting<'a> {
    ClientId(Cow<'a, str>),
    Url {
        host: Cow<'a, str>,
        port: u16,
    },
    /// In seconds.
    KeepAlive(u16),
    Username(Cow<'a, str>),
    Password(Secret<'a>),
    CleanSession(bool),
    WillQos(QoS),
    WillTopic(Cow<'a, str>),
    WillMessage(Cow<'a, str>),
    WillRetain(bool),
    SubHex(bool),
    Async(bool),
}

/// TLS, as `AT+SMSSL` chooses it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tls<'a> {
    /// 0 is no TLS, else one more than the number of the context.
    pub(super) index: u8,
    /// The file with the authorities; may be empty.
    pub(super) ca: Cow<'a, str>,
    /// The file with the module's certificate; may be empty.
    pub(super) certificate: Cow<'a, str>,
}

/// A device of Alibaba Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device<'a> {
    pub(super) product_key: Cow<'a, str>,
    pub(super) device_name: Cow<'a, str>,
    pub(super) secret: Secret<'a>,
}

/// The same, independent of what it was borrowed from.
pub(super) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl Tls<'_> {
    /// The number of the context, if there is one.
    pub(super) fn context(&self) -> Option<u8> {
        self.index.checked_sub(1)
    }

    pub(super) fn into_owned(self) -> Tls<'static> {
        Tls {
            index: self.index,
            ca: owned(self.ca),
            certificate: owned(self.certificate),
        }
    }
}

impl Device<'_> {
    pub(super) fn into_owned(self) -> Device<'static> {
        Device {
            product_key: owned(self.product_key),
            device_name: owned(self.device_name),
            secret: self.secret.into_owned(),
        }
    }
}
