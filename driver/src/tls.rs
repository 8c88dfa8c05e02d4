//! TLS contexts of the module, set up by the driver.

mod file;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use atmq_protocol::cloud::Hash;
use atmq_protocol::mqtt::{Request, SecurityLevel, TlsSetting, TlsVersion};
use thiserror::Error;

use crate::counters::Counters;
use crate::error::Error;
use crate::modem::Modem;
use crate::session::{Command, Upload};

use file::{File, Kind};

/// TLS for a connection: which of the module's contexts it uses, and what the driver sets that to
/// at each connect. Certificates and keys are PEM.
///
/// **Unverified.** No source tells how a Lierda module is given its certificates. The commands
/// used here, `AT+LSSLCFG` and `AT+LFUPL`, are named after Quectel's; the emulator has them, and
/// whether a real module has is not known. Set a context up as the module's manual says, and name
/// it by [`ConnectOptions::tls_context`](crate::ConnectOptions::tls_context), where it has not.
///
/// ```no_run
/// use atmq_driver::{ConnectOptions, Tls};
///
/// let ca = std::fs::read("ca.pem")?;
/// let options = ConnectOptions::new("broker.example", 8883, "meter-7")
///     .tls(Tls::verified(0, ca));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    context: u8,
    ca: Option<Arc<[u8]>>,
    identity: Option<ClientIdentity>,
    version: TlsVersion,
    server_name: bool,
    ignore_time: bool,
}

/// Certificate and private key.
#[derive(Clone)]
struct ClientIdentity {
    certificate: Arc<[u8]>,
    key: Arc<[u8]>,
}

/// Why TLS cannot be set up as asked for. Nothing has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file holds nothing of the kind that is wanted.
    #[error("{file} holds no {wanted} in PEM form")]
    Nothing {
        /// The file.
        file: &'static str,
        /// What it is to hold.
        wanted: &'static str,
    },
    /// A file is damaged.
    #[error("{file} is no valid PEM: {reason}")]
    Damaged {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is larger than what the module stores.
    #[error("{file} has {length} bytes, the module stores at most {max}")]
    TooLong {
        /// The file.
        file: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The key is encrypted, and there is nobody to ask for its password.
    #[error("the client key is encrypted, which no module can use: decrypt it first")]
    EncryptedKey,
    /// A module shows its certificate only to a broker that it verifies.
    #[error("a client certificate needs a verified broker: give its CA certificate as well")]
    Unverified,
}

impl Tls {
    /// The broker must show a certificate for its host name, signed by one of these. What else
    /// the module trusts does not count.
    pub fn verified(context: u8, ca_pem: impl AsRef<[u8]>) -> Self {
        Self {
            ca: Some(ca_pem.as_ref().into()),
            ..Self::unverified(context)
        }
    }

    /// The link is encrypted, but nothing is verified: whoever is in between can read and change
    /// everything.
    pub fn unverified(context: u8) -> Self {
        Self {
            context,
            ca: None,
            identity: None,
            version: TlsVersion::All,
            server_name: true,
            ignore_time: false,
        }
    }

    /// The certificate that the module shows of itself, with those between it and its authority,
    /// and its private key (PKCS #8, PKCS #1 or SEC1, not encrypted).
    pub fn client(mut self, certificate_pem: impl AsRef<[u8]>, key_pem: impl AsRef<[u8]>) -> Self {
        self.identity = Some(ClientIdentity {
            certificate: certificate_pem.as_ref().into(),
            key: key_pem.as_ref().into(),
        });
        self
    }

    /// Which versions are spoken; all that the module has unless set.
    pub fn version(mut self, version: TlsVersion) -> Self {
        self.version = version;
        self
    }

    /// Whether the broker's host name is sent in the handshake (SNI), which it is unless set.
    pub fn server_name(mut self, sent: bool) -> Self {
        self.server_name = sent;
        self
    }

    /// Whether certificates are good before and after their time. They are not unless set: a
    /// module whose clock is not set refuses all of them.
    pub fn ignore_time(mut self, ignore: bool) -> Self {
        self.ignore_time = ignore;
        self
    }

    pub(crate) fn context(&self) -> u8 {
        self.context
    }

    fn files(&self) -> Vec<File> {
        let Self { context, .. } = self;
        let file = |kind, bytes: &Arc<[u8]>| File {
            kind,
            name: kind.name(*context),
            bytes: bytes.clone(),
        };
        let ca = self.ca.iter().map(|ca| file(Kind::Ca, ca));
        let identity = self.identity.iter().flat_map(|identity| {
            [
                file(Kind::Certificate, &identity.certificate),
                file(Kind::Key, &identity.key),
            ]
        });
        ca.chain(identity).collect()
    }

    fn settings(&self) -> Vec<TlsSetting<'static>> {
        let level = match (&self.ca, &self.identity) {
            (None, _) => SecurityLevel::None,
            (Some(_), None) => SecurityLevel::Server,
            (Some(_), Some(_)) => SecurityLevel::Mutual,
        };
        let files = self.files().into_iter().map(|File { kind, name, .. }| {
            let name = name.into();
            match kind {
                Kind::Ca => TlsSetting::CaCertificate(name),
                Kind::Certificate => TlsSetting::ClientCertificate(name),
                Kind::Key => TlsSetting::ClientKey(name),
            }
        });
        let others = [
            TlsSetting::SecurityLevel(level),
            TlsSetting::Version(self.version),
            TlsSetting::ServerName(self.server_name),
            TlsSetting::IgnoreTime(self.ignore_time),
        ];
        files.chain(others).collect()
    }

    /// What is wrong with it, before anything is sent.
    pub(crate) fn check(&self) -> Result<(), TlsError> {
        if self.ca.is_none() && self.identity.is_some() {
            return Err(TlsError::Unverified);
        }
        self.files().iter().try_for_each(File::check)
    }

    /// The commands that set the context, files aside.
    pub(crate) fn commands(&self) -> impl Iterator<Item = Command> {
        let context = self.context;
        self.settings()
            .into_iter()
            .map(move |setting| Command::Mqtt(Request::ConfigureTls { context, setting }))
    }

    /// Sets the context up. Files that the module has are not sent again.
    pub(crate) async fn set_up(&self, modem: &Modem) -> Result<(), Error> {
        // Held over all of it: another connect must not change the same context meanwhile.
        let mut stored = modem.stored_files().lock().await;
        stored.forget_earlier(&modem.counters());
        for file in self.files() {
            let digest = Hash::Sha256.hmac(b"", &file.bytes);
            if stored.files.get(&file.name) == Some(&digest) {
                continue;
            }
            // Half a file is no file.
            stored.files.remove(&file.name);
            let upload = Command::Upload(Upload {
                name: file.name.clone(),
                bytes: file.bytes.to_vec(),
            });
            modem.exchange(upload, None, None).await?;
            stored.files.insert(file.name, digest);
        }
        for command in self.commands() {
            modem.exchange(command, None, None).await?;
        }
        Ok(())
    }

    /// TLS has failed: perhaps the module has not what it is thought to have.
    pub(crate) async fn failed(&self, modem: &Modem) {
        let mut stored = modem.stored_files().lock().await;
        for file in self.files() {
            stored.files.remove(&file.name);
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("context", &self.context)
            .field("verified", &self.ca.is_some())
            .field("client", &self.identity.is_some())
            .field("version", &self.version)
            .field("server_name", &self.server_name)
            .field("ignore_time", &self.ignore_time)
            .finish()
    }
}

/// What of the files that a module was given is known to be there.
#[derive(Debug, Default)]
pub(crate) struct StoredFiles {
    /// Digests by name.
    files: HashMap<String, Vec<u8>>,
    /// What had befallen the module when they were sent.
    life: u64,
}

impl StoredFiles {
    /// Whether files outlive a reboot is not known, and behind a port that was lost there may be
    /// another module.
    fn forget_earlier(&mut self, counters: &Counters) {
        let life = counters.reboots + counters.resets + counters.port_losses;
        if self.life != life {
            self.life = life;
            self.files.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not a certificate, but PEM of one.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAMBAf8=\n-----END PRIVATE KEY-----\n";

    fn refused(tls: &Tls) -> String {
        tls.check().expect_err("it cannot be used").to_string()
    }

    #[test]
    fn what_is_no_pem_is_refused_before_anything_is_sent() {
        let mutual = |certificate: &str, key: &str| {
            refused(&Tls::verified(0, CERTIFICATE).client(certificate, key))
        };
        for (message, expected) in [
            (
                refused(&Tls::verified(0, "")),
                "the CA certificate holds no certificate in PEM form",
            ),
            (
                refused(&Tls::verified(0, b"\x30\x03\x01\x01\xff")),
                "the CA certificate holds no certificate in PEM form",
            ),
            (
                refused(&Tls::verified(0, KEY)),
                "the CA certificate holds no certificate in PEM form",
            ),
            (
                mutual(CERTIFICATE, CERTIFICATE),
                "the client key holds no private key in PEM form",
            ),
            (
                mutual(CERTIFICATE, &KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")),
                "the client key is encrypted, which no module can use: decrypt it first",
            ),
            (
                refused(&Tls::verified(0, CERTIFICATE.repeat(300))),
                "the CA certificate has 18900 bytes, the module stores at most 16384",
            ),
            (
                refused(&Tls::unverified(0).client(CERTIFICATE, KEY)),
                "a client certificate needs a verified broker: give its CA certificate as well",
            ),
        ] {
            assert_eq!(message, expected);
        }
        for damaged in [
            CERTIFICATE.replace("MAMB", "MA*B"),
            CERTIFICATE.replace("-----END CERTIFICATE-----", ""),
            [CERTIFICATE, &CERTIFICATE.replace("MAMB", "MA*B")].concat(),
        ] {
            let message = refused(&Tls::verified(0, &damaged));
            let expected = "the CA certificate is no valid PEM: ";
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn good_pem_is_taken() {
        let chain = ["comment\n", CERTIFICATE, CERTIFICATE].concat();
        let tls = Tls::verified(0, &chain).client(chain.replace('\n', "\r\n"), KEY);
        assert_eq!(tls.check(), Ok(()));
        assert_eq!(Tls::unverified(5).check(), Ok(()));
    }

    #[test]
    fn contexts_do_not_share_files() {
        let names = |context| {
            let tls = Tls::verified(context, CERTIFICATE).client(CERTIFICATE, KEY);
            tls.files().into_iter().map(|file| file.name).collect()
        };
        let mut all: Vec<String> = (0..6)
            .flat_map(|context| -> Vec<_> { names(context) })
            .collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 18);
    }

    #[test]
    fn debug_output_hides_what_is_in_files() {
        let text = format!(
            "{:?}",
            Tls::verified(1, CERTIFICATE).client(CERTIFICATE, KEY)
        );
        assert!(
            text.contains("verified: true") && !text.contains("BEGIN"),
            "{text}"
        );
    }
}
