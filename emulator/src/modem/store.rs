//! What the module keeps beside its connections: files, TLS contexts, what platforms gave it.

use std::collections::{BTreeMap, HashMap};

use atmq_protocol::cloud::aliyun::Registered;
use atmq_protocol::mqtt::{AliDevice, SecurityLevel, TlsKey, TlsSetting, TlsVersion};

use crate::network::{ClientIdentity, TlsOptions};

/// Files that fit, and devices remembered. Ours.
const LIMIT: usize = 16;

/// TLS contexts: as many as any command set has.
const CONTEXTS: usize = 10;

/// Files, TLS contexts and registered devices.
///
/// Files and what a registration has brought survive a reboot, as in flash memory: a platform
/// gives a secret once, and a module that forgot it could never connect again (decided, no source
/// tells). TLS contexts do not, as no other configuration does.
pub(super) struct Store {
    /// Whether a context sends the host's name that nobody has set up.
    server_name: bool,
    files: BTreeMap<String, Vec<u8>>,
    contexts: [Context; CONTEXTS],
    registered: HashMap<(String, String), Registered>,
}

/// One TLS context. That nothing is verified at first is Quectel's default, and so is that a
/// certificate's time does not matter; whether the host's name is sent is the dialect's.
#[derive(Debug, Clone)]
struct Context {
    ca: String,
    certificate: String,
    key: String,
    level: SecurityLevel,
    version: TlsVersion,
    server_name: bool,
    ignore_time: bool,
}

impl Context {
    fn new(server_name: bool) -> Self {
        Self {
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
            level: SecurityLevel::None,
            version: TlsVersion::All,
            server_name,
            ignore_time: true,
        }
    }
}

impl Store {
    /// `server_name`: whether a context sends the host's name that nobody has set up.
    pub(super) fn new(server_name: bool) -> Self {
        Self {
            server_name,
            files: BTreeMap::new(),
            contexts: std::array::from_fn(|_| Context::new(server_name)),
            registered: HashMap::new(),
        }
    }

    /// Whether a file of this name fits.
    pub(super) fn has_room(&self, name: &str) -> bool {
        self.files.len() < LIMIT || self.files.contains_key(name)
    }

    pub(super) fn write(&mut self, name: String, bytes: Vec<u8>) {
        self.files.insert(name, bytes);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.files.remove(name);
    }

    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    pub(super) fn files(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    pub(super) fn configure(&mut self, context: u8, setting: TlsSetting<'_>) {
        let context = &mut self.contexts[place(context)];
        match setting {
            TlsSetting::CaCertificate(name) => context.ca = name.into_owned(),
            TlsSetting::ClientCertificate(name) => context.certificate = name.into_owned(),
            TlsSetting::ClientKey(name) => context.key = name.into_owned(),
            TlsSetting::SecurityLevel(level) => context.level = level,
            TlsSetting::Version(version) => context.version = version,
            TlsSetting::ServerName(on) => context.server_name = on,
            TlsSetting::IgnoreTime(on) => context.ignore_time = on,
        }
    }

    pub(super) fn setting(&self, context: u8, key: TlsKey) -> TlsSetting<'_> {
        let context = &self.contexts[place(context)];
        match key {
            TlsKey::CaCertificate => TlsSetting::CaCertificate((&context.ca).into()),
            TlsKey::ClientCertificate => {
                TlsSetting::ClientCertificate((&context.certificate).into())
            }
            TlsKey::ClientKey => TlsSetting::ClientKey((&context.key).into()),
            TlsKey::SecurityLevel => TlsSetting::SecurityLevel(context.level),
            TlsKey::Version => TlsSetting::Version(context.version),
            TlsKey::ServerName => TlsSetting::ServerName(context.server_name),
            TlsKey::IgnoreTime => TlsSetting::IgnoreTime(context.ignore_time),
        }
    }

    /// How a link with this context is secured. A file that is not there is an empty one: then
    /// TLS fails, as it should.
    pub(super) fn tls_options(&self, context: u8) -> TlsOptions {
        let context = &self.contexts[place(context)];
        let file = |name: &str| self.files.get(name).cloned();
        let identity = || ClientIdentity {
            certificate_pem: file(&context.certificate).unwrap_or_default(),
            key_pem: file(&context.key).unwrap_or_default(),
        };
        TlsOptions {
            verify: matches!(context.level, SecurityLevel::Server | SecurityLevel::Mutual),
            ca_pem: file(&context.ca),
            client_identity: matches!(
                context.level,
                SecurityLevel::Mutual | SecurityLevel::ClientOnly
            )
            .then(identity),
            server_name: None,
            hide_server_name: !context.server_name,
            ignore_time: context.ignore_time,
            version: context.version,
        }
    }

    /// What the device was given when it registered.
    pub(super) fn registered(&self, device: &AliDevice<'_>) -> Option<&Registered> {
        self.registered.get(&name(device))
    }

    pub(super) fn remember(&mut self, device: &AliDevice<'_>, registered: Registered) {
        let name = name(device);
        if self.registered.len() < LIMIT || self.registered.contains_key(&name) {
            self.registered.insert(name, registered);
        }
    }

    /// What a reboot forgets.
    pub(super) fn reboot(&mut self) {
        self.contexts = std::array::from_fn(|_| Context::new(self.server_name));
    }
}

fn place(context: u8) -> usize {
    usize::from(context).min(CONTEXTS - 1)
}

fn name(device: &AliDevice<'_>) -> (String, String) {
    (
        device.product_key.to_string(),
        device.device_name.to_string(),
    )
}
