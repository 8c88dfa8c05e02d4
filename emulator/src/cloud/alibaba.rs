//! Alibaba Cloud: `aliauth` and dynamic registration (reference `clouds.md` 5).

use atmq_protocol::mqtt::{Registration, SignMethod};
use serde_json::Value;

use super::{Credentials, sign};

/// The timestamp, and the random number of a registration, that EigenComm's module source has
/// built in (read in ECMT source, inferred for LMQTT).
const TIMESTAMP: &str = "20130219";

/// Who a device is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) product_key: &'a str,
    pub(crate) device_name: &'a str,
}

impl Identity<'_> {
    fn username(&self) -> String {
        format!("{}&{}", self.device_name, self.product_key)
    }
}

/// The credentials of a device with a secret: an HMAC over the client id, the device and a fixed
/// timestamp. `secure` is whether the link is TLS.
pub(crate) fn credentials(
    client_id: &str,
    device: Identity<'_>,
    secret: &str,
    method: SignMethod,
    secure: bool,
) -> Credentials {
    let Identity {
        product_key,
        device_name,
    } = device;
    let content = format!(
        "clientId{client_id}deviceName{device_name}productKey{product_key}timestamp{TIMESTAMP}"
    );
    let mode = if secure { 2 } else { 3 };
    let name = method.name();
    Credentials {
        client_id: format!(
            "{client_id}|securemode={mode},signmethod={name},timestamp={TIMESTAMP}|"
        ),
        username: device.username(),
        password: hex(&sign(method.into(), secret.as_bytes(), &content)),
    }
}

/// The credentials by which a device without a secret registers.
pub(crate) fn registration(
    client_id: &str,
    device: Identity<'_>,
    product_secret: &str,
    registration: Registration,
    method: SignMethod,
    instance_id: &str,
) -> Credentials {
    let Identity {
        product_key,
        device_name,
    } = device;
    let content = format!("deviceName{device_name}productKey{product_key}random{TIMESTAMP}");
    let (mode, kind, name) = (
        registration.secure_mode(),
        registration.name(),
        method.name(),
    );
    let instance = match instance_id {
        "" => String::new(),
        id => format!(",instanceId={id}"),
    };
    Credentials {
        client_id: format!(
            "{client_id}|securemode={mode},authType={kind},random={TIMESTAMP},signmethod={name}\
             {instance}|"
        ),
        username: device.username(),
        password: hex(&sign(method.into(), product_secret.as_bytes(), &content)),
    }
}

/// What the platform has given to a device that registered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Registered {
    /// A device secret.
    Secret(String),
    /// A client id and a token.
    Token { client_id: String, token: String },
}

impl Registered {
    /// Reads the message by which the platform answers a registration, which comes without a
    /// subscription. `None` if it is another, or for another device.
    pub(crate) fn from_message(device: Identity<'_>, topic: &str, payload: &[u8]) -> Option<Self> {
        let message: Value = serde_json::from_slice(payload).ok()?;
        let text = |key: &str| message.get(key).and_then(Value::as_str);
        if text("productKey") != Some(device.product_key)
            || text("deviceName") != Some(device.device_name)
        {
            return None;
        }
        match topic {
            "/ext/register" => Some(Self::Secret(text("deviceSecret")?.to_owned())),
            "/ext/regnwl" => Some(Self::Token {
                client_id: text("clientId")?.to_owned(),
                token: text("deviceToken")?.to_owned(),
            }),
            _ => None,
        }
    }
}

/// The credentials of a device that was given a token.
pub(crate) fn token_credentials(client_id: &str, device: Identity<'_>, token: &str) -> Credentials {
    Credentials {
        client_id: format!("{client_id}|securemode=-2,authType=connwl|"),
        username: device.username(),
        password: token.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Identity<'_> = Identity {
        product_key: "a1B2c3D4e5F",
        device_name: "dev001",
    };
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    /// The worked examples of the reference, computed there by other means.
    #[test]
    fn the_signature_is_the_platforms() {
        let credentials = |client_id, method| credentials(client_id, DEVICE, SECRET, method, false);
        assert_eq!(
            credentials("dev001", SignMethod::HmacSha1),
            Credentials {
                client_id: "dev001|securemode=3,signmethod=hmacsha1,timestamp=20130219|".into(),
                username: "dev001&a1B2c3D4e5F".into(),
                password: "60d415e9845147836193e221bba594b01b20b7a8".into(),
            }
        );
        for (client_id, method, password) in [
            (
                "dev001",
                SignMethod::HmacMd5,
                "fcb63280f0d2c72b6b110ab25ae3e8b9",
            ),
            (
                "dev001",
                SignMethod::HmacSha256,
                "29484a77e49dda8d6afd292c48d74448572a4c6712e4ec52947b350549a47025",
            ),
            (
                "NT35E",
                SignMethod::HmacSha1,
                "aa2617bb0f173b93f85f19c7f68e38c42d884cc6",
            ),
        ] {
            assert_eq!(credentials(client_id, method).password, password);
        }
    }

    #[test]
    fn a_secure_link_is_announced() {
        let credentials = credentials("id", DEVICE, "ds", SignMethod::HmacMd5, true);
        assert_eq!(
            credentials.client_id,
            "id|securemode=2,signmethod=hmacmd5,timestamp=20130219|"
        );
    }

    #[test]
    fn a_registration_is_signed_with_the_product_secret() {
        let credentials = registration(
            "pn",
            DEVICE,
            "abcdef0123456789",
            Registration::Unlisted,
            SignMethod::HmacSha1,
            "i-1",
        );
        assert_eq!(
            credentials,
            Credentials {
                client_id: "pn|securemode=-2,authType=regnwl,random=20130219,\
                            signmethod=hmacsha1,instanceId=i-1|"
                    .into(),
                username: "dev001&a1B2c3D4e5F".into(),
                password: "fe14fccbbe4e6c944586f455db30d9f013262a80".into(),
            }
        );
    }

    #[test]
    fn the_answer_to_a_registration_is_for_this_device_only() {
        let answer =
            |topic, payload: &str| Registered::from_message(DEVICE, topic, payload.as_bytes());
        let secret = r#"{"productKey":"a1B2c3D4e5F","deviceName":"dev001","deviceSecret":"s"}"#;
        assert!(answer("/ext/register", secret) == Some(Registered::Secret("s".into())));
        assert!(answer("/ext/regnwl", secret).is_none());
        assert!(answer("/ext/register", &secret.replace("dev001", "dev002")).is_none());
        assert!(answer("/ext/register", "{").is_none());
    }
}
