use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_protocol::Secret;
use atmq_protocol::cloud::aliyun::{self, Method, Registered, Signing};
use atmq_protocol::cloud::onenet::studio;
use atmq_protocol::cloud::{Credentials, Hash};
use atmq_protocol::mqtt::AliDevice;

use crate::error::ConnectError;

/// Who connects, and how that is proved.
#[derive(Clone)]
pub(crate) enum Identity {
    /// As the caller says.
    Given {
        client_id: String,
        username: Option<String>,
        password: Option<Secret<'static>>,
    },
    /// An Alibaba Cloud device.
    Aliyun {
        device: aliyun::Device,
        credential: Registered,
    },
    /// An Alibaba Cloud device whose credentials the module computes.
    Aliauth {
        client_id: String,
        device: aliyun::Device,
        secret: Secret<'static>,
    },
    /// A OneNET Studio device.
    Studio {
        device: studio::Device,
        key: studio::AccessKey,
        lifetime: Duration,
    },
    /// As a function of the caller's says.
    Asked(Provider),
}

pub(crate) type Provider = Arc<dyn Fn() -> Result<Credentials, ConnectError> + Send + Sync>;

/// What CONNECT carries.
pub(crate) struct Presented {
    pub(crate) client_id: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret<'static>>,
}

impl Identity {
    /// What is presented at a connect at this moment. `tls`: whether the link is TLS.
    pub(crate) fn present(
        &self,
        tls: bool,
        keep_alive: Duration,
    ) -> Result<Presented, ConnectError> {
        let credentials = match self {
            Self::Given {
                client_id,
                username,
                password,
            } => {
                return Ok(Presented {
                    client_id: client_id.clone(),
                    username: username.clone(),
                    password: password.clone(),
                });
            }
            Self::Aliyun { device, credential } => {
                aliyun::check_keep_alive(keep_alive.as_secs())?;
                let signing = Signing::new(&device.device_name)
                    .method(Method::HmacSha256)
                    .tls(tls);
                credential.credentials(device, &signing)?
            }
            Self::Aliauth {
                client_id,
                device,
                secret,
            } => {
                aliyun::check_keep_alive(keep_alive.as_secs())?;
                // What the module will make of it has the same limits.
                device.credentials(secret, &Signing::new(client_id))?;
                return Ok(Presented {
                    client_id: client_id.clone(),
                    username: None,
                    password: None,
                });
            }
            Self::Studio {
                device,
                key,
                lifetime,
            } => device.credentials(key, Hash::Sha256, expiry(*lifetime))?,
            Self::Asked(provider) => provider()?,
        };
        Ok(Presented {
            client_id: credentials.client_id,
            username: Some(credentials.username),
            password: Some(credentials.password),
        })
    }

    /// The device of which the module computes the credentials by itself.
    pub(crate) fn device(&self) -> Option<AliDevice<'static>> {
        let Self::Aliauth { device, secret, .. } = self else {
            return None;
        };
        Some(AliDevice::new(
            device.product_key.clone(),
            device.device_name.clone(),
            secret.clone(),
        ))
    }
}

/// When a token of this lifetime expires, in seconds since 1970.
fn expiry(lifetime: Duration) -> u64 {
    // A clock before 1970 is not set; a token that has expired is refused with a clear code.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().saturating_add(lifetime).as_secs()
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given {
                client_id,
                username,
                password,
            } => f
                .debug_struct("Given")
                .field("client_id", client_id)
                .field("username", username)
                .field("password", password)
                .finish(),
            Self::Aliyun { device, .. } => f.debug_tuple("Aliyun").field(device).finish(),
            Self::Aliauth {
                client_id, device, ..
            } => f
                .debug_struct("Aliauth")
                .field("client_id", client_id)
                .field("device", device)
                .finish_non_exhaustive(),
            Self::Studio {
                device, lifetime, ..
            } => f
                .debug_struct("Studio")
                .field("device", device)
                .field("lifetime", lifetime)
                .finish_non_exhaustive(),
            Self::Asked(_) => f.write_str("Asked(..)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use atmq_protocol::cloud::CredentialsError;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn device() -> Identity {
        Identity::Aliyun {
            device: aliyun::Device::new("a1B2c3D4e5F", "dev001"),
            credential: Registered::Secret("0123456789abcdef0123456789abcdef".into()),
        }
    }

    #[test]
    fn a_device_tells_whether_its_link_is_secured() {
        for (tls, mode) in [(false, 3), (true, 2)] {
            let presented = device().present(tls, MINUTE).unwrap();
            let expected = format!("dev001|securemode={mode},signmethod=hmacsha256|");
            assert_eq!(presented.client_id, expected);
            assert_eq!(presented.username.as_deref(), Some("dev001&a1B2c3D4e5F"));
        }
    }

    #[test]
    fn a_keepalive_that_the_platform_refuses_is_refused_here() {
        let aliauth = Identity::Aliauth {
            client_id: "NT35E".into(),
            device: aliyun::Device::new("pk", "dn"),
            secret: "ds".into(),
        };
        for identity in [device(), aliauth] {
            for seconds in [0, 29, 1201] {
                let refused = identity.present(false, Duration::from_secs(seconds));
                assert!(matches!(
                    refused,
                    Err(ConnectError::Credentials(CredentialsError::KeepAlive { seconds: s, .. }))
                        if s == seconds
                ));
            }
            assert!(identity.present(false, MINUTE).is_ok());
        }
    }

    #[test]
    fn a_token_is_made_anew_each_time() {
        let key = studio::AccessKey::product("KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=");
        let studio = Identity::Studio {
            device: studio::Device::new("123123", "mydev"),
            key: key.unwrap(),
            lifetime: MINUTE,
        };
        let before = expiry(MINUTE);
        let presented = studio.present(false, Duration::ZERO).unwrap();
        let after = expiry(MINUTE);
        let token = presented.password.unwrap();
        let (_, et) = token.expose().split_once("&et=").unwrap();
        let et: u64 = et.split('&').next().unwrap().parse().unwrap();
        assert!((before..=after).contains(&et), "{et}");
    }

    #[test]
    fn debug_output_hides_secrets() {
        let text = format!("{:?}", device());
        assert!(
            text.contains("dev001") && !text.contains("0123456789"),
            "{text}"
        );
    }
}
