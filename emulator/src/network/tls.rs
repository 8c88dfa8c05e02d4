use std::fmt;
use std::sync::Arc;

use atmq_protocol::mqtt::TlsVersion;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore,
    SignatureScheme, SupportedProtocolVersion,
};

use super::host_map::without_brackets;

const ONLY_1_2: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// How a link is secured.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether the broker must show a certificate for its name, signed by one of `ca_pem`.
    pub verify: bool,
    /// Certificates trusted to sign the broker's, or to be it, as PEM; needed to verify. As on a
    /// module, there are no others.
    pub ca_pem: Option<Vec<u8>>,
    /// What the module shows of itself if the broker asks.
    pub client_identity: Option<ClientIdentity>,
    /// The name to ask for (SNI) and to verify, if it is not the host the link was opened to.
    pub server_name: Option<String>,
    /// Whether the name is kept out of the handshake. It is verified all the same.
    pub hide_server_name: bool,
    /// Whether certificates are good before and after their time, as for a device without a clock.
    pub ignore_time: bool,
    /// Versions to speak. Those before TLS 1.2 are not to be had: a link with them fails.
    pub version: TlsVersion,
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("verify", &self.verify)
            .field("ca_pem_len", &self.ca_pem.as_ref().map(Vec::len))
            .field("client_identity", &self.client_identity)
            .field("server_name", &self.server_name)
            .field("hide_server_name", &self.hide_server_name)
            .field("ignore_time", &self.ignore_time)
            .field("version", &self.version)
            .finish()
    }
}

/// A client certificate with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, and those between it and its authority, as PEM.
    pub certificate_pem: Vec<u8>,
    /// Its private key, as PEM (PKCS #8, PKCS #1 or SEC1).
    pub key_pem: Vec<u8>,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(redacted)")
    }
}

/// Why TLS cannot even be tried with some [`TlsOptions`].
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsOptionsError {
    #[error("TLS before 1.2 is not spoken any more")]
    Obsolete,
    #[error("the broker is to be verified, but no CA certificate is given")]
    NoCa,
    #[error("the CA file holds no valid certificate")]
    BadCa,
    #[error("the client certificate file holds no valid certificate")]
    BadClientCertificate,
    #[error("the client key file holds no valid private key")]
    BadClientKey,
    #[error("client certificate and key cannot be used: {0}")]
    BadClientIdentity(rustls::Error),
    #[error("`{0}` is not a name a certificate can be for")]
    BadServerName(String),
}

impl TlsOptions {
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsOptionsError> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(without_brackets(name).to_owned())
            .map_err(|_| TlsOptionsError::BadServerName(name.to_owned()))
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsOptionsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions()?)
            .expect("the provider has TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(Arc::clone(&provider))?);
        let mut config = match &self.client_identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = certificates(&identity.certificate_pem)
                    .ok_or(TlsOptionsError::BadClientCertificate)?;
                let key = PrivateKeyDer::from_pem_slice(&identity.key_pem)
                    .map_err(|_| TlsOptionsError::BadClientKey)?;
                let key = provider.key_provider.load_private_key(key);
                let key = key.map_err(|_| TlsOptionsError::BadClientKey)?;
                let identity = matching(CertifiedKey::new(chain, key))
                    .map_err(TlsOptionsError::BadClientIdentity)?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
            }
        };
        // Each link has a configuration of its own: there is never a session to resume, and a
        // cache per link would be the larger part of its memory.
        config.resumption = Resumption::disabled();
        config.enable_sni = !self.hide_server_name;
        Ok(config)
    }

    fn versions(&self) -> Result<&'static [&'static SupportedProtocolVersion], TlsOptionsError> {
        match self.version {
            TlsVersion::Ssl3 | TlsVersion::V1_0 | TlsVersion::V1_1 => {
                Err(TlsOptionsError::Obsolete)
            }
            TlsVersion::V1_2 => Ok(ONLY_1_2),
            TlsVersion::All => Ok(rustls::ALL_VERSIONS),
        }
    }

    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, TlsOptionsError> {
        if !self.verify {
            return Ok(Arc::new(Lenient::Anything(provider)));
        }
        let mut roots = RootCertStore::empty();
        let ca = self.ca_pem.as_ref().ok_or(TlsOptionsError::NoCa)?;
        let anchors = certificates(ca).ok_or(TlsOptionsError::BadCa)?;
        for certificate in anchors.iter().cloned() {
            roots.add(certificate).map_err(|_| TlsOptionsError::BadCa)?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|_| TlsOptionsError::BadCa)?;
        Ok(Arc::new(Lenient::Modules(Modules {
            verifier,
            anchors,
            ignore_time: self.ignore_time,
        })))
    }
}

/// The identity, unless its key is known to be another's. A certificate of version 1, as
/// `openssl x509` makes it by default, is not looked into: the broker decides, as it does with a
/// module.
fn matching(identity: CertifiedKey) -> Result<CertifiedKey, rustls::Error> {
    match identity.keys_match() {
        Ok(())
        | Err(
            rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)
            | rustls::Error::InvalidCertificate(CertificateError::Other(_)),
        ) => Ok(identity),
        Err(error) => Err(error),
    }
}

/// All certificates of a PEM text; `None` if there is none or one does not parse.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

/// What a broker has to prove, where it is not what rustls asks for.
#[derive(Debug)]
enum Lenient {
    /// What it has to prove to a module.
    Modules(Modules),
    /// Nothing, as at security level 0 of a module. Signatures are not looked at either:
    /// certificates that old devices show in this mode often do not parse.
    Anything(Arc<CryptoProvider>),
}

/// Verifies a broker as modules do.
#[derive(Debug)]
struct Modules {
    verifier: Arc<WebPkiServerVerifier>,
    /// The certificates that are trusted.
    anchors: Vec<CertificateDer<'static>>,
    /// It is always the time of the certificate.
    ignore_time: bool,
}

impl Modules {
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        at: impl Fn(UnixTime) -> Result<ServerCertVerified, rustls::Error>,
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = match at(now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::ExpiredContext {
                    not_after: time, ..
                }
                | CertificateError::NotValidYetContext {
                    not_before: time, ..
                },
            )) if self.ignore_time => at(time),
            verified => verified,
        };
        match verified {
            // A certificate that signed itself, as `openssl req -x509` makes it by default. If it
            // is trusted, it is the broker's own proof. Its time has been looked at before this.
            Err(error) if is_authority(&error) && self.anchors.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }
}

/// Whether a certificate was refused because it is an authority's.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Self::Modules(modules) = self else {
            return Ok(ServerCertVerified::assertion());
        };
        let Modules { verifier, .. } = modules;
        let at = |time| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time)
        };
        modules.verify(end_entity, server_name, at, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self {
            Self::Modules(Modules { verifier, .. }) => {
                verifier.verify_tls12_signature(message, certificate, signature)
            }
            Self::Anything(_) => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match self {
            Self::Modules(Modules { verifier, .. }) => {
                verifier.verify_tls13_signature(message, certificate, signature)
            }
            Self::Anything(_) => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match self {
            Self::Modules(Modules { verifier, .. }) => verifier.supported_verify_schemes(),
            Self::Anything(provider) => provider
                .signature_verification_algorithms
                .supported_schemes(),
        }
    }
}

#[cfg(test)]
mod tests;
