//! TLS of the link between module and broker.

use std::path::{Path, PathBuf};

use atmq_driver::{ConnectOptions, Tls, TlsError};

use crate::failure::{Failure, FailureKind};
use crate::input::{DATA_LIMIT, read_file, unreadable};

/// Files and choices of TLS, named as `mosquitto_pub` names them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TLS (by commands that no known module has)")]
pub(crate) struct TlsArguments {
    /// Use TLS, and verify the broker against these CA certificates (PEM)
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
    /// Certificate of the module (PEM); needs --key
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Private key of the certificate (PEM, not encrypted)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Use TLS, but accept any certificate; anyone in between can read everything
    #[arg(long, conflicts_with = "cafile")]
    insecure: bool,
    /// Ignore the validity period of certificates
    #[arg(long)]
    ignore_time: bool,
    /// TLS context of the module to use
    #[arg(long, value_name = "NUMBER", default_value_t = 0,
          value_parser = clap::value_parser!(u8).range(0..=5))]
    tls_context: u8,
}

impl TlsArguments {
    /// Whether the link is to be encrypted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.cafile.is_some() || self.insecure
    }

    /// What to look at if the broker, or what is in its place, closes a link on which it was sent
    /// CONNECT.
    pub(crate) fn when_closed(&self) -> &'static str {
        match (self.is_wanted(), &self.cert) {
            (false, _) => "does the broker expect TLS (--cafile) at this port (-p)?",
            (true, None) => "does the broker want a certificate of the module (--cert, --key)?",
            (true, Some(_)) => "does the broker take the certificate of --cert?",
        }
    }

    /// The options with TLS, if it is wanted.
    ///
    /// # Errors
    /// A file cannot be read, or does not hold what it is to hold; or options do not go together.
    pub(crate) fn add_to(&self, options: ConnectOptions) -> Result<ConnectOptions, Failure> {
        let mut tls = match &self.cafile {
            Some(file) => {
                let tls = Tls::verified(self.tls_context, read(file)?);
                let of = format!("--cafile is {}", file.display());
                tls.check().map_err(|error| wrong(&error, of))?;
                tls
            }
            None if self.insecure => Tls::unverified(self.tls_context),
            None if self.cert.is_some() || self.key.is_some() || self.ignore_time => {
                let what = "--cert, --key and --ignore-time are for TLS, which is not wanted";
                let hint = "add --cafile, or --insecure if the broker is not to be verified";
                return Err(Failure::new(FailureKind::Usage, what).hint(hint));
            }
            None => return Ok(options),
        };
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                tls = tls.client(read(cert)?, read(key)?);
                let of = format!("--cert is {}, --key is {}", cert.display(), key.display());
                tls.check().map_err(|error| wrong(&error, of))?;
            }
            (None, None) => {}
            _ => {
                let what = "a certificate and its key go together";
                return Err(Failure::new(FailureKind::Usage, what).hint("give --cert and --key"));
            }
        }
        Ok(options.tls(tls.ignore_time(self.ignore_time)))
    }
}

/// What is in a file cannot be used. `of` names it.
fn wrong(error: &TlsError, of: String) -> Failure {
    match error {
        TlsError::Unverified => Failure::new(FailureKind::Usage, error),
        TlsError::TooLong { .. } => Failure::new(FailureKind::Usage, error).hint(format!(
            "{of}; give those certificates alone that are needed"
        )),
        _ => Failure::new(FailureKind::Usage, error).hint(of),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    read_file(file, DATA_LIMIT).map_err(|error| unreadable(&file.display().to_string(), &error))
}
