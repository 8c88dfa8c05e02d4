use alloc::borrow::Cow;
use alloc::string::String;

/// The longest file that a module stores, in bytes. Ours (reference `README.md`, "Decisions"): no
/// source has one.
pub const MAX_FILE: usize = 16 * 1024;

/// A value of one of the module's TLS contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsSetting<'a> {
    /// The file with the certificates that are trusted to sign the broker's.
    CaCertificate(Cow<'a, str>),
    /// The file with the certificate that the module shows of itself.
    ClientCertificate(Cow<'a, str>),
    /// The file with the private key of that certificate.
    ClientKey(Cow<'a, str>),
    /// Who must prove who they are.
    SecurityLevel(SecurityLevel),
    /// Which versions of the protocol are spoken.
    Version(TlsVersion),
    /// Whether the host's name is sent in the handshake (SNI).
    ServerName(bool),
    /// Whether a certificate is good before and after its time.
    IgnoreTime(bool),
}

/// Names a [`TlsSetting`], to ask for its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsKey {
    /// [`TlsSetting::CaCertificate`]
    CaCertificate,
    /// [`TlsSetting::ClientCertificate`]
    ClientCertificate,
    /// [`TlsSetting::ClientKey`]
    ClientKey,
    /// [`TlsSetting::SecurityLevel`]
    SecurityLevel,
    /// [`TlsSetting::Version`]
    Version,
    /// [`TlsSetting::ServerName`]
    ServerName,
    /// [`TlsSetting::IgnoreTime`]
    IgnoreTime,
}

impl TlsSetting<'_> {
    /// What the setting is called.
    pub fn key(&self) -> TlsKey {
        match self {
            Self::CaCertificate(_) => TlsKey::CaCertificate,
            Self::ClientCertificate(_) => TlsKey::ClientCertificate,
            Self::ClientKey(_) => TlsKey::ClientKey,
            Self::SecurityLevel(_) => TlsKey::SecurityLevel,
            Self::Version(_) => TlsKey::Version,
            Self::ServerName(_) => TlsKey::ServerName,
            Self::IgnoreTime(_) => TlsKey::IgnoreTime,
        }
    }

    /// The same setting, independent of what it was borrowed from.
    pub fn into_owned(self) -> TlsSetting<'static> {
        let text = |text: Cow<'_, str>| Cow::Owned(String::from(text));
        match self {
            Self::CaCertificate(name) => TlsSetting::CaCertificate(text(name)),
            Self::ClientCertificate(name) => TlsSetting::ClientCertificate(text(name)),
            Self::ClientKey(name) => TlsSetting::ClientKey(text(name)),
            Self::SecurityLevel(level) => TlsSetting::SecurityLevel(level),
            Self::Version(version) => TlsSetting::Version(version),
            Self::ServerName(on) => TlsSetting::ServerName(on),
            Self::IgnoreTime(on) => TlsSetting::IgnoreTime(on),
        }
    }
}

/// Who must prove who they are, in Quectel's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecurityLevel {
    /// 0: nobody.
    #[default]
    None = 0,
    /// 1: the broker.
    Server = 1,
    /// 2: the broker, and the module if it is asked.
    Mutual = 2,
    /// 3, which not every set has: the module if it is asked.
    ClientOnly = 3,
}

impl SecurityLevel {
    /// From the number on the wire; `None` above 2.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::None, Self::Server, Self::Mutual]
            .into_iter()
            .find(|level| *level as u8 == number)
    }
}

/// Versions of TLS, in Quectel's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// 0: SSL 3.0
    Ssl3 = 0,
    /// 1: TLS 1.0
    V1_0 = 1,
    /// 2: TLS 1.1
    V1_1 = 2,
    /// 3: TLS 1.2
    V1_2 = 3,
    /// 4: all that the module speaks.
    #[default]
    All = 4,
}

impl TlsVersion {
    /// From the number on the wire; `None` above 4.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Ssl3, Self::V1_0, Self::V1_1, Self::V1_2, Self::All]
            .into_iter()
            .find(|version| *version as u8 == number)
    }
}
