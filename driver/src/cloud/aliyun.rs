//! Alibaba Cloud IoT: all of `atmq_protocol::cloud::aliyun`, and [`register`].

use std::time::Duration;

use atmq_protocol::Secret;
pub use atmq_protocol::cloud::aliyun::*;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use super::CredentialsError;
use crate::client::Client;
use crate::connect::ConnectOptions;
use crate::error::{ConnectError, Disconnected};
use crate::messages::Messages;
use crate::modem::Modem;

/// Why a device did not register.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The options have no TLS, without which the platform registers nobody. Nothing was sent.
    #[error("a device registers over TLS only: give the options a TLS context")]
    NoTls,
    /// The platform would not take the device. Nothing was sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The platform could not be reached, or refused.
    #[error("the platform does not let the device register")]
    Connect(#[source] ConnectError),
    /// The platform let the device in, but sent something else than what it asked for.
    #[error("the platform answered the registration with something else")]
    Answer(#[source] AnswerError),
    /// The connection ended before the answer came.
    #[error("the connection ended before the platform answered the registration")]
    Disconnected(#[source] Disconnected),
    /// There was no answer in time.
    #[error("the platform did not answer the registration within {} s", .limit.as_secs_f32())]
    NoAnswer {
        /// The time limit.
        limit: Duration,
    },
}

/// Registers a device that has no secret of its own (dynamic registration, reference `clouds.md`
/// 5): connects over TLS with its product's secret, waits for what the platform gives it, and
/// disconnects. Keep what comes back: the platform gives it once.
///
/// `options` say where and how to connect: host, TLS, connection. Whom as, and whether with a
/// clean session, is not asked of them. All together may take `limit`.
///
/// ```no_run
/// # use std::time::Duration;
/// use atmq_driver::cloud::aliyun::{self, Device, Registration, RegistrationRequest};
/// use atmq_driver::{ConnectOptions, Modem, Secret, Tls};
///
/// # async fn run(modem: Modem, product_secret: Secret<'static>, ca: Vec<u8>)
/// # -> Result<(), Box<dyn std::error::Error>> {
/// let device = Device::new("a1B2c3D4e5F", "dev001");
/// let options = ConnectOptions::new(device.host("cn-shanghai"), aliyun::PORT, "")
///     .tls(Tls::verified(0, ca));
/// let request = RegistrationRequest::new("dev001", Registration::Listed, 567_345);
/// let limit = Duration::from_secs(60);
/// let registered =
///     aliyun::register(&modem, options, &device, &product_secret, &request, limit).await?;
/// let options = ConnectOptions::aliyun_device(device, "cn-shanghai", registered);
/// # Ok(())
/// # }
/// ```
///
/// Dropping the future leaves the module's connection as far as it has come, as that of
/// [`Modem::connect`] does; what the platform has sent by then is lost.
///
/// # Errors
/// The platform cannot take the request, cannot be reached, refuses, or does not answer.
/// [`Refusal::BadCredentials`](crate::Refusal::BadCredentials) is a wrong product secret.
pub async fn register(
    modem: &Modem,
    options: ConnectOptions,
    device: &Device,
    product_secret: &Secret<'_>,
    request: &RegistrationRequest,
    limit: Duration,
) -> Result<Registered, RegisterError> {
    if options.given().tls.is_none() {
        return Err(RegisterError::NoTls);
    }
    check_keep_alive(options.given().keep_alive.into())?;
    let credentials = device.registration(product_secret, request)?;
    let options = options.cloud_credentials(credentials).clean_session(true);
    let deadline = Instant::now() + limit;
    let connected = timeout_at(deadline, modem.connect(options)).await;
    let late = RegisterError::NoAnswer { limit };
    let (client, messages) = connected
        .map_err(|_| late.clone())?
        .map_err(RegisterError::Connect)?;
    let answered = timeout_at(deadline, answer(device, messages)).await;
    leave(client).await;
    answered.map_err(|_| late)?
}

/// The platform's answer, which comes by itself.
async fn answer(device: &Device, mut messages: Messages) -> Result<Registered, RegisterError> {
    while let Some(message) = messages.recv().await {
        match Registered::parse(device, &message.topic, &message.payload) {
            Ok(registered) => return Ok(registered),
            Err(AnswerError::Topic) => tracing::debug!(message.topic, "not the answer"),
            Err(error) => return Err(RegisterError::Answer(error)),
        }
    }
    let reason = messages.ended().unwrap_or(Disconnected::NotEstablished);
    Err(RegisterError::Disconnected(reason))
}

/// The platform may have been quicker to close the connection.
async fn leave(client: Client) {
    if let Err(error) = client.disconnect().await {
        tracing::debug!(%error, "the connection of the registration was not closed");
    }
}
