//! What a TLS context of the module is to be set to.

mod file;

use std::fmt;

use atmq_protocol::mqtt::{TlsSetUp, TlsUse, TlsVersion};
use thiserror::Error;

use file::Kind;

/// TLS for a connection: which of the module's contexts it uses, and what the driver sets that to
/// at each connect. Certificates and keys are PEM.
///
/// **Unverified.** No source tells how the modules known so far are given their certificates. The
/// commands for it have names of our own, after another maker's; the emulator has them, and
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
    set_up: TlsSetUp,
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
        let mut tls = Self::unverified(context);
        tls.set_up.ca = Some(ca_pem.as_ref().into());
        tls
    }

    /// The link is encrypted, but nothing is verified: whoever is in between can read and change
    /// everything.
    pub fn unverified(context: u8) -> Self {
        Self {
            context,
            set_up: TlsSetUp {
                ca: None,
                identity: None,
                version: TlsVersion::All,
                server_name: true,
                ignore_time: false,
            },
        }
    }

    /// The certificate that the module shows of itself, with those between it and its authority,
    /// and its private key (PKCS #8, PKCS #1 or SEC1, not encrypted).
    pub fn client(mut self, certificate_pem: impl AsRef<[u8]>, key_pem: impl AsRef<[u8]>) -> Self {
        self.set_up.identity = Some((certificate_pem.as_ref().into(), key_pem.as_ref().into()));
        self
    }

    /// Which versions are spoken; all that the module has unless set.
    pub fn version(mut self, version: TlsVersion) -> Self {
        self.set_up.version = version;
        self
    }

    /// Whether the broker's host name is sent in the handshake (SNI), which it is unless set.
    pub fn server_name(mut self, sent: bool) -> Self {
        self.set_up.server_name = sent;
        self
    }

    /// Whether certificates are good before and after their time. They are not unless set: a
    /// module whose clock is not set refuses all of them.
    pub fn ignore_time(mut self, ignore: bool) -> Self {
        self.set_up.ignore_time = ignore;
        self
    }

    /// Checks certificates and key as each connect does first, for programs that want to know at
    /// their start what is wrong with a file.
    ///
    /// # Errors
    /// Something is no PEM of the kind that is wanted, larger than what the module stores, or
    /// encrypted; or a broker that is not verified would be shown a certificate.
    pub fn check(&self) -> Result<(), TlsError> {
        check(&self.set_up)
    }
}

impl From<Tls> for TlsUse {
    fn from(tls: Tls) -> Self {
        Self {
            context: tls.context,
            set_up: Some(tls.set_up),
        }
    }
}

/// What is wrong with it, before anything is sent.
pub(crate) fn check(set_up: &TlsSetUp) -> Result<(), TlsError> {
    if set_up.ca.is_none() && set_up.identity.is_some() {
        return Err(TlsError::Unverified);
    }
    let ca = set_up.ca.iter().map(|ca| (Kind::Ca, ca));
    let identity = set_up
        .identity
        .iter()
        .flat_map(|(certificate, key)| [(Kind::Certificate, certificate), (Kind::Key, key)]);
    ca.chain(identity)
        .try_for_each(|(kind, pem)| kind.check(pem))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("context", &self.context)
            .field("set_up", &self.set_up)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not a certificate, but PEM of one.
    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAMBAf8=\n-----END PRIVATE KEY-----\n";

    fn refused(tls: &Tls) -> String {
        let refused = tls.check().expect_err("it cannot be used");
        refused.to_string()
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
