use atmq_protocol::mqtt::MAX_FILE;
use rustls_pki_types::pem::{Error as PemError, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// What a file for the module holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Ca,
    Certificate,
    Key,
}

impl Kind {
    /// What it is called in errors.
    fn words(self) -> &'static str {
        match self {
            Self::Ca => "the CA certificate",
            Self::Certificate => "the client certificate",
            Self::Key => "the client key",
        }
    }

    pub(super) fn check(self, pem: &[u8]) -> Result<(), TlsError> {
        let (file, length) = (self.words(), pem.len());
        if length > MAX_FILE {
            let max = MAX_FILE;
            return Err(TlsError::TooLong { file, length, max });
        }
        let (found, wanted) = match self {
            Self::Key => (PrivateKeyDer::from_pem_slice(pem).map(drop), "private key"),
            Self::Ca | Self::Certificate => (check_certificates(pem), "certificate"),
        };
        match found {
            Ok(()) => Ok(()),
            Err(PemError::NoItemsFound) if is_encrypted(pem) => Err(TlsError::EncryptedKey),
            Err(PemError::NoItemsFound) => Err(TlsError::Nothing { file, wanted }),
            Err(error) => Err(TlsError::Damaged {
                file,
                reason: error.to_string(),
            }),
        }
    }
}

fn check_certificates(pem: &[u8]) -> Result<(), PemError> {
    let mut found = Err(PemError::NoItemsFound);
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificate?;
        found = Ok(());
    }
    found
}

fn is_encrypted(pem: &[u8]) -> bool {
    let label = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    pem.windows(label.len()).any(|bytes| bytes == label)
}
