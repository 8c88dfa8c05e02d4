//! Who may connect to Alibaba Cloud IoT (reference `clouds.md` 5, documented).

use std::collections::HashMap;
use std::fmt;

use atmq_protocol::cloud::Hash;
use atmq_protocol::cloud::aliyun::CLIENT_ID_LIMIT;
use atmq_protocol::mqtt::SignMethod;
use serde_json::json;

use super::{Authenticator, ConnectReturnCode, Credentials, Greeting};

/// A product of [`AlibabaCloud`], by its `ProductKey`.
#[derive(Clone, Default)]
pub struct AlibabaProduct {
    /// `ProductSecret`, which signs registrations; without one there are none.
    pub secret: Option<String>,
    /// `DeviceSecret` by `DeviceName`.
    pub devices: HashMap<String, String>,
}

impl fmt::Debug for AlibabaProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlibabaProduct")
            .field("devices", &self.devices.keys())
            .finish_non_exhaustive()
    }
}

/// Lets devices in as Alibaba Cloud does: by a signature made with the device's secret, or by a
/// token from a registration without a listed name.
///
/// What is signed it writes down by itself, and not by the code that signs for devices: were they
/// one, both could be wrong alike. They share the HMAC.
///
/// A wrong signature or token is refused with code 4; a device, a product or a way of connecting
/// that the platform does not know with code 5; a client id in another form with code 2.
#[derive(Default)]
pub struct AlibabaCloud {
    products: HashMap<String, AlibabaProduct>,
    /// Tokens given out, by user name, with the client id that came with each.
    tokens: HashMap<String, (String, String)>,
}

impl fmt::Debug for AlibabaCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlibabaCloud")
            .field("products", &self.products)
            .finish_non_exhaustive()
    }
}

/// The client id taken apart: `<id>|<key>=<value>,…|`.
struct ClientId<'a> {
    id: &'a str,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> ClientId<'a> {
    fn parse(client_id: &'a str) -> Option<Self> {
        let (id, rest) = client_id.split_once('|')?;
        let values = rest.strip_suffix('|')?.split(',');
        let values: Option<_> = values.map(|value| value.split_once('=')).collect();
        Some(Self {
            id,
            values: values?,
        })
    }

    fn value(&self, key: &str) -> &'a str {
        self.values.get(key).copied().unwrap_or_default()
    }
}

impl AlibabaCloud {
    /// A platform without products.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a product.
    #[must_use]
    pub fn with_product(mut self, key: impl Into<String>, product: AlibabaProduct) -> Self {
        self.products.insert(key.into(), product);
        self
    }

    fn judge(&self, credentials: &Credentials) -> Result<(), ConnectReturnCode> {
        let client = ClientId::parse(&credentials.client_id)
            .filter(|client| client.id.chars().count() <= CLIENT_ID_LIMIT)
            .ok_or(ConnectReturnCode::IdentifierRejected)?;
        let username = credentials.username.as_deref().unwrap_or_default();
        let (device_name, product_key) = split(username)?;
        let product = self.products.get(product_key);
        let product = product.ok_or(ConnectReturnCode::NotAuthorized)?;
        let device_secret = product.devices.get(device_name).map(String::as_str);
        let timestamp = match client.value("timestamp") {
            "" => String::new(),
            timestamp => format!("timestamp{timestamp}"),
        };
        let random = client.value("random");
        let registration = format!("deviceName{device_name}productKey{product_key}random{random}");
        let (secret, content) = match (client.value("authType"), client.value("securemode")) {
            ("", "2" | "3") => (
                device_secret,
                format!(
                    "clientId{}deviceName{device_name}productKey{product_key}{timestamp}",
                    client.id
                ),
            ),
            ("register", "2") if device_secret.is_some() => {
                (product.secret.as_deref(), registration)
            }
            ("regnwl", "-2") => (product.secret.as_deref(), registration),
            ("connwl", "-2") => {
                let (id, token) = self
                    .tokens
                    .get(username)
                    .ok_or(ConnectReturnCode::NotAuthorized)?;
                return accept_if(
                    id == client.id && credentials.password.as_deref() == Some(token.as_bytes()),
                );
            }
            _ => return Err(ConnectReturnCode::NotAuthorized),
        };
        let secret = secret.ok_or(ConnectReturnCode::NotAuthorized)?;
        let method = SignMethod::from_name(client.value("signmethod"));
        let method = method.ok_or(ConnectReturnCode::NotAuthorized)?;
        let signature = Hash::from(method).hmac(secret.as_bytes(), content.as_bytes());
        let given = credentials.password.as_deref();
        // Samples have both cases, so either must do (inferred).
        let given = given.and_then(atmq_protocol::at::parameter::decode_hex);
        accept_if(given == Some(signature))
    }
}

fn split(username: &str) -> Result<(&str, &str), ConnectReturnCode> {
    username
        .split_once('&')
        .ok_or(ConnectReturnCode::BadUserNameOrPassword)
}

fn accept_if(right: bool) -> Result<(), ConnectReturnCode> {
    if right {
        Ok(())
    } else {
        Err(ConnectReturnCode::BadUserNameOrPassword)
    }
}

impl Authenticator for AlibabaCloud {
    fn authenticate(&mut self, credentials: &Credentials) -> ConnectReturnCode {
        match self.judge(credentials) {
            Ok(()) => ConnectReturnCode::Accepted,
            Err(code) => code,
        }
    }

    /// The answer to a registration: the device's secret, or a client id and a token.
    fn greet(&mut self, credentials: &Credentials) -> Option<Greeting> {
        let client = ClientId::parse(&credentials.client_id)?;
        let username = credentials.username.as_deref()?;
        let (device_name, product_key) = split(username).ok()?;
        let (topic, answer) = match client.value("authType") {
            "register" => (
                "/ext/register",
                json!({
                    "productKey": product_key,
                    "deviceName": device_name,
                    "deviceSecret": self.products.get(product_key)?.devices.get(device_name)?,
                }),
            ),
            "regnwl" => {
                let number = self.tokens.len();
                let (id, token) = (format!("assigned{number}"), format!("token{number}"));
                let answer = json!({
                    "productKey": product_key,
                    "deviceName": device_name,
                    "clientId": id,
                    "deviceToken": token,
                });
                self.tokens.insert(username.to_owned(), (id, token));
                ("/ext/regnwl", answer)
            }
            _ => return None,
        };
        Some(Greeting {
            topic: topic.to_owned(),
            payload: answer.to_string().into_bytes(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> AlibabaCloud {
        let secret = "0123456789abcdef0123456789abcdef";
        AlibabaCloud::new().with_product(
            "a1B2c3D4e5F",
            AlibabaProduct {
                secret: Some("abcdef0123456789".into()),
                devices: [("dev001".into(), secret.into())].into(),
            },
        )
    }

    fn code(client_id: &str, username: &str, password: &str) -> u8 {
        let credentials = Credentials {
            client_id: client_id.into(),
            username: Some(username.into()),
            password: Some(password.into()),
        };
        cloud().authenticate(&credentials).code()
    }

    /// The worked examples of the reference, computed there by other means.
    #[test]
    fn the_documented_signatures_are_accepted_and_no_others() {
        let username = "dev001&a1B2c3D4e5F";
        for (values, password, expected) in [
            (
                "securemode=3,signmethod=hmacsha1,timestamp=20130219",
                "60d415e9845147836193e221bba594b01b20b7a8",
                0,
            ),
            (
                "securemode=2,signmethod=hmacsha1,timestamp=20130219",
                "60D415E9845147836193E221BBA594B01B20B7A8",
                0,
            ),
            (
                "securemode=3,signmethod=hmacmd5,timestamp=20130219",
                "fcb63280f0d2c72b6b110ab25ae3e8b9",
                0,
            ),
            (
                "securemode=3,signmethod=hmacsha256,timestamp=20130219",
                "29484a77e49dda8d6afd292c48d74448572a4c6712e4ec52947b350549a47025",
                0,
            ),
            (
                "securemode=3,signmethod=hmacsha1",
                "a86252ef321b2087265d6bccdc7dc1d6013cb9de",
                0,
            ),
            (
                "securemode=3,signmethod=hmacsha1,timestamp=1700000000000",
                "59bb48845b62ba122730fcdbb26a14f87a1ee446",
                0,
            ),
            // Signed with a timestamp that is not given, or by another method, or not at all.
            (
                "securemode=3,signmethod=hmacsha1",
                "60d415e9845147836193e221bba594b01b20b7a8",
                4,
            ),
            (
                "securemode=3,signmethod=hmacsha1,timestamp=20130219",
                "fcb63280f0d2c72b6b110ab25ae3e8b9",
                4,
            ),
            ("securemode=3,signmethod=hmacsha1", "", 4),
            ("securemode=3,signmethod=none", "", 5),
            // Registrations.
            (
                "securemode=2,authType=register,random=567345,signmethod=hmacsha1",
                "9b6c33f8018767085f0fd6bb2569acca5f5a1006",
                0,
            ),
            (
                "securemode=2,authType=register,random=567345,signmethod=hmacsha256",
                "b50f12b2286ed4601d4a1df20bac7f5a9f7eff7868f308ccc7c00faa1d724085",
                0,
            ),
            (
                "securemode=-2,authType=regnwl,random=567345,signmethod=hmacmd5",
                "042e40a5cb6e45b4c47eba0242e157a9",
                0,
            ),
            (
                "securemode=2,authType=register,random=20130219,signmethod=hmacsha1",
                "fe14fccbbe4e6c944586f455db30d9f013262a80",
                0,
            ),
            ("securemode=-2,authType=connwl", "token0", 5),
        ] {
            let client_id = format!("dev001|{values}|");
            assert_eq!(code(&client_id, username, password), expected, "{values}");
        }
        let other = "NT35E|securemode=3,signmethod=hmacsha1,timestamp=20130219|";
        let password = "aa2617bb0f173b93f85f19c7f68e38c42d884cc6";
        assert_eq!(code(other, username, password), 0);
        let values = "dev001|securemode=3,signmethod=hmacsha1,timestamp=20130219|";
        assert_eq!(code("dev001", username, ""), 2);
        assert_eq!(code(values, "dev001", ""), 4);
        assert_eq!(code(values, "dev002&a1B2c3D4e5F", ""), 5);
        assert_eq!(code(values, "dev001&other", ""), 5);
    }

    #[test]
    fn the_platforms_own_sample_is_accepted() {
        let mut cloud = AlibabaCloud::new().with_product(
            "pk",
            AlibabaProduct {
                secret: None,
                devices: [("device".into(), "secret".into())].into(),
            },
        );
        let credentials = Credentials {
            client_id: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|".into(),
            username: Some("device&pk".into()),
            password: Some("FAFD82A3D602B37FB0FA8B7892F24A477F851A14".into()),
        };
        assert_eq!(cloud.authenticate(&credentials).code(), 0);
    }

    #[test]
    fn a_token_is_good_for_the_device_it_was_given_to() {
        let mut cloud = cloud();
        let credentials = |client_id: &str, password: &str| Credentials {
            client_id: client_id.into(),
            username: Some("new&a1B2c3D4e5F".into()),
            password: Some(password.into()),
        };
        let values = "securemode=-2,authType=regnwl,random=1,signmethod=hmacsha1";
        let greeting = cloud
            .greet(&credentials(&format!("id|{values}|"), ""))
            .unwrap();
        assert_eq!(greeting.topic, "/ext/regnwl");
        assert!(!format!("{cloud:?}").contains("token0"));
        let mut code =
            |client_id, password| cloud.authenticate(&credentials(client_id, password)).code();
        assert_eq!(
            code("assigned0|securemode=-2,authType=connwl|", "token0"),
            0
        );
        assert_eq!(
            code("assigned0|securemode=-2,authType=connwl|", "token1"),
            4
        );
        assert_eq!(
            code("assigned1|securemode=-2,authType=connwl|", "token0"),
            4
        );
    }
}
