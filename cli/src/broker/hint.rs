//! What to try when a connection cannot be made.

use atmq_driver::{ConnectError, Disconnected, Error, ExchangeError, OpenFailure, Refusal};

use super::exchange_failure;
use crate::failure::{Failure, FailureKind, chain};

/// The failure with its hint. `cloud` is the option that has computed the credentials, `closed` what
/// to look at if the link was closed.
pub(super) fn connect_failure(
    error: &ConnectError,
    cloud: Option<&str>,
    closed: Option<&str>,
) -> Failure {
    let text = chain(error);
    match error {
        ConnectError::Open { failure, .. } => {
            Failure::new(FailureKind::Unavailable, text).hint(match failure {
                OpenFailure::InUse => {
                    "an earlier program has left it open; restart the module: `atmq at AT+CFUN=0,1`"
                }
                OpenFailure::PdpActivation => {
                    "is the SIM in, and the module registered? `atmq doctor` looks"
                }
                OpenFailure::Network => {
                    "check -h and -p; `atmq doctor` looks whether the module can reach the broker"
                }
                _ => "check -h and -p, and that the module can reach the broker",
            })
        }
        ConnectError::Refused(refusal) => {
            Failure::new(FailureKind::Refused, text).hint(of_refusal(*refusal, cloud))
        }
        ConnectError::NotAccepted { .. }
        | ConnectError::Failed(Error::Exchange(ExchangeError::NoReport {
            sent_again: true, ..
        })) => Failure::new(FailureKind::TimedOut, text)
            .hint("does a broker listen there, and without TLS?"),
        // What the driver has to say of it is said by options here.
        ConnectError::Tls { host, port } => Failure::new(
            FailureKind::Unavailable,
            format!("TLS to {host}:{port} failed"),
        )
        .hint(
            "check --cafile, that the broker's certificate has the name of -h, --cert and --key if it \
             wants them, the module's clock (AT+CCLK?), and that TLS is spoken at this port",
        ),
        ConnectError::TlsSetUp(_) => Failure::new(FailureKind::Refused, text).hint(
            "the module may have no AT+LSSLCFG; without --cafile and --insecure the link has no TLS",
        ),
        ConnectError::Unheard { .. } => Failure::new(FailureKind::TimedOut, text),
        ConnectError::TlsOptions(_) | ConnectError::Credentials(_) => {
            Failure::new(FailureKind::Usage, text)
        }
        ConnectError::Failed(error) => {
            let failure = exchange_failure(error);
            let is_lost = matches!(
                error,
                Error::Disconnected(Disconnected::LinkLost { .. })
                    | Error::Exchange(ExchangeError::LinkLost { .. })
            );
            match closed {
                Some(closed) if is_lost => failure.hint(closed),
                _ => failure,
            }
        }
        _ => Failure::new(FailureKind::Unavailable, text),
    }
}

fn of_refusal(refusal: Refusal, cloud: Option<&str>) -> String {
    match (refusal, cloud) {
        (Refusal::ProtocolVersion, _) => "-V chooses another version of MQTT".into(),
        (Refusal::ServerUnavailable, _) => "nothing is wrong on this side; try again later".into(),
        (Refusal::Identifier, None) => "check -i".into(),
        (_, None) => "check -u, -P and -i".into(),
        (_, Some(option)) => {
            format!("check the secret, the names behind {option}, and the clock of this computer")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_fits_what_has_happened() {
        let refused = ConnectError::Refused;
        let open = |failure| ConnectError::Open {
            host: "h".into(),
            port: 1883,
            failure,
        };
        for (error, cloud, hint) in [
            (refused(Refusal::ProtocolVersion), None, "-V"),
            (refused(Refusal::Identifier), None, "check -i"),
            (refused(Refusal::ServerUnavailable), None, "later"),
            (refused(Refusal::BadCredentials), None, "-u, -P and -i"),
            (
                refused(Refusal::NotAuthorized),
                Some("--aliyun"),
                "the clock",
            ),
            (
                refused(Refusal::BadCredentials),
                Some("--onenet"),
                "behind --onenet",
            ),
            (open(OpenFailure::InUse), None, "left it open"),
            (open(OpenFailure::PdpActivation), None, "atmq doctor"),
            (open(OpenFailure::Network), None, "-h and -p"),
        ] {
            let failure = connect_failure(&error, cloud, None);
            let told = failure.advice().unwrap_or_default();
            assert!(told.contains(hint), "no `{hint}` in {failure}");
        }
    }
}
