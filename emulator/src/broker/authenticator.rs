//! Who may connect.

use std::fmt;

/// What a client presents in CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Client id as sent, possibly empty.
    pub client_id: String,
    /// User name, if sent.
    pub username: Option<String>,
    /// Password, if sent; any bytes.
    pub password: Option<Vec<u8>>,
}

/// The answer to CONNECT: the return codes of CONNACK (MQTT 3.1.1 section 3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectReturnCode {
    /// 0: connection accepted.
    Accepted,
    /// 1: protocol level not supported.
    UnacceptableProtocolVersion,
    /// 2: client id not allowed.
    IdentifierRejected,
    /// 3: the broker has no room for one more session.
    ServerUnavailable,
    /// 4: user name or password malformed.
    BadUserNameOrPassword,
    /// 5: not allowed to connect.
    NotAuthorized,
}

/// Decides on each CONNECT. Any closure of the same shape is one.
///
/// ```
/// use atmq_emulator::broker::{ConnectReturnCode, Core, Credentials, Limits};
///
/// let core = Core::new(Limits::default()).authenticated_by(|who: &Credentials| {
///     match who.username.as_deref() {
///         Some("bench") => ConnectReturnCode::Accepted,
///         _ => ConnectReturnCode::NotAuthorized,
///     }
/// });
/// # drop(core);
/// ```
pub trait Authenticator: Send {
    /// The return code for CONNACK; every code but [`ConnectReturnCode::Accepted`] closes the
    /// connection.
    fn authenticate(&mut self, credentials: &Credentials) -> ConnectReturnCode;

    /// What a client that was accepted is sent right behind CONNACK, without having subscribed to
    /// it: cloud platforms answer a registration so. Nothing, unless an authenticator has more to
    /// say.
    fn greet(&mut self, _credentials: &Credentials) -> Option<Greeting> {
        None
    }
}

/// A message that nobody has subscribed to, with QoS 0.
#[derive(Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Its topic. With one that no message can have, such as a wildcard, it is not sent.
    pub topic: String,
    /// Its payload, which may be a secret.
    pub payload: Vec<u8>,
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting")
            .field("topic", &self.topic)
            .field("payload", &"<redacted>")
            .finish()
    }
}

/// Lets everyone in.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptAll;

impl ConnectReturnCode {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::UnacceptableProtocolVersion => 1,
            Self::IdentifierRejected => 2,
            Self::ServerUnavailable => 3,
            Self::BadUserNameOrPassword => 4,
            Self::NotAuthorized => 5,
        }
    }
}

impl Authenticator for AcceptAll {
    fn authenticate(&mut self, _credentials: &Credentials) -> ConnectReturnCode {
        ConnectReturnCode::Accepted
    }
}

impl<F> Authenticator for F
where
    F: FnMut(&Credentials) -> ConnectReturnCode + Send,
{
    fn authenticate(&mut self, credentials: &Credentials) -> ConnectReturnCode {
        self(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "<redacted>"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_password() {
        let credentials = Credentials {
            client_id: "id".into(),
            username: Some("name".into()),
            password: Some(b"hunter2".to_vec()),
        };
        let text = format!("{credentials:?}");
        assert!(
            text.contains("name") && text.contains("<redacted>"),
            "{text}"
        );
        assert!(!text.contains("hunter2") && !text.contains("104"), "{text}");
    }
}
