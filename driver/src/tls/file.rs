use std::sync::Arc;

use atmq_protocol::mqtt::MAX_FILE;
use rustls_pki_types::pem::{Error as PemError, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// A file for the module.
pub(super) struct File {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) bytes: Arc<[u8]>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Ca,
    Certificate,
    Key,
}

impl Kind {
    /// Contexts must not write over each other's files.
    pub(super) fn name(self, context: u8) -> String {
        let kind = match self {
            Self::Ca => "ca",
            Self::Certificate => "cert",
            Self::Key => "key",
        };
        format!("atmq_{kind}_{context}.pem")
    }

    /// What it is called in errors.
    fn words(self) -> &'static str {
        match self {
            Self::Ca => "the CA certificate",
            Self::Certificate => "the client certificate",
            Self::Key => "the client key",
        }
    }
}

impl File {
    pub(super) fn check(&self) -> Result<(), TlsError> {
        let (file, length) = (self.kind.words(), self.bytes.len());
        if length > MAX_FILE {
            let max = MAX_FILE;
            return Err(TlsError::TooLong { file, length, max });
        }
        let (found, wanted) = match self.kind {
            Kind::Key => (self.check_key(), "private key"),
            Kind::Ca | Kind::Certificate => (self.check_certificates(), "certificate"),
        };
        match found {
            Ok(()) => Ok(()),
            Err(PemError::NoItemsFound) if self.is_encrypted() => Err(TlsError::EncryptedKey),
            Err(PemError::NoItemsFound) => Err(TlsError::Nothing { file, wanted }),
            Err(error) => Err(TlsError::Damaged {
                file,
                reason: error.to_string(),
            }),
        }
    }

    fn check_certificates(&self) -> Result<(), PemError> {
        let mut found = Err(PemError::NoItemsFound);
        for certificate in CertificateDer::pem_slice_iter(&self.bytes) {
            certificate?;
            found = Ok(());
        }
        found
    }

    fn check_key(&self) -> Result<(), PemError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map(drop)
    }

    fn is_encrypted(&self) -> bool {
        let label = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
        self.bytes.windows(label.len()).any(|bytes| bytes == label)
    }
}
