//! Alibaba Cloud IoT (reference `clouds.md` 5).
//!
//! A device that has a secret signs with it:
//!
//! ```
//! use atmq_protocol::Secret;
//! use atmq_protocol::cloud::aliyun::{Device, Signing};
//!
//! let device = Device::new("a1B2c3D4e5F", "dev001");
//! let secret = Secret::from("0123456789abcdef0123456789abcdef");
//! let credentials = device.credentials(&secret, &Signing::new("dev001"))?;
//! assert_eq!(credentials.client_id, "dev001|securemode=3,signmethod=hmacsha1|");
//! assert_eq!(credentials.username, "dev001&a1B2c3D4e5F");
//! assert_eq!(
//!     credentials.password.expose(),
//!     "a86252ef321b2087265d6bccdc7dc1d6013cb9de"
//! );
//! assert_eq!(
//!     device.host("cn-shanghai"),
//!     "a1B2c3D4e5F.iot-as-mqtt.cn-shanghai.aliyuncs.com"
//! );
//! # Ok::<(), atmq_protocol::cloud::CredentialsError>(())
//! ```
//!
//! One that has none registers, over TLS: it connects with
//! [`registration`](Device::registration), is sent a message that [`Registered::parse`] reads,
//! disconnects, and from then on connects with [`Registered::credentials`].

mod registration;

use alloc::format;
use alloc::string::String;
use core::ops::RangeInclusive;

pub use registration::{AnswerError, Registered, RegistrationRequest};

use super::credentials::check;
use super::{Credentials, CredentialsError, Hash};
use crate::Secret;
use crate::mqtt::SignMethod;
pub use crate::mqtt::{Registration, SignMethod as Method};

/// The port of the platform's brokers, for TCP and for TLS.
pub const PORT: u16 = 1883;

/// Longest client id, in characters, without what stands behind it (documented).
pub const CLIENT_ID_LIMIT: usize = 64;

/// The keepalives that the platform takes, in seconds (documented).
pub const KEEP_ALIVE: RangeInclusive<u16> = 30..=1200;

/// What a device is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Device {
    /// `ProductKey`
    pub product_key: String,
    /// `DeviceName`
    pub device_name: String,
}

/// How a device signs: by `hmacsha1`, without a timestamp, for a link without TLS, in lower-case
/// digits, unless told otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    client_id: String,
    method: SignMethod,
    timestamp: Option<u64>,
    tls: bool,
    upper_case: bool,
}

impl Signing {
    /// With this client id, of the device's own choice, 1 to 64 characters.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            method: SignMethod::default(),
            timestamp: None,
            tls: false,
            upper_case: false,
        }
    }

    /// By which hash.
    pub fn method(mut self, method: SignMethod) -> Self {
        self.method = method;
        self
    }

    /// A number that is signed and sent along: milliseconds since 1970, but the platform takes
    /// any.
    pub fn timestamp(mut self, milliseconds: u64) -> Self {
        self.timestamp = Some(milliseconds);
        self
    }

    /// Whether the link is TLS: `securemode` 2, not 3.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Whether the signature is written in upper-case digits. The platform takes both.
    pub fn upper_case(mut self, upper_case: bool) -> Self {
        self.upper_case = upper_case;
        self
    }
}

impl Device {
    /// A device of a product.
    pub fn new(product_key: impl Into<String>, device_name: impl Into<String>) -> Self {
        Self {
            product_key: product_key.into(),
            device_name: device_name.into(),
        }
    }

    /// The platform's broker for the product in a region, such as `cn-shanghai`.
    pub fn host(&self, region: &str) -> String {
        format!("{}.iot-as-mqtt.{region}.aliyuncs.com", self.product_key)
    }

    /// The credentials of a device with a secret of its own (`DeviceSecret`).
    ///
    /// # Errors
    /// A name, the client id or the secret is one that the platform cannot take.
    pub fn credentials(
        &self,
        secret: &Secret<'_>,
        signing: &Signing,
    ) -> Result<Credentials, CredentialsError> {
        self.check()?;
        check_client_id(&signing.client_id)?;
        check("the device secret", secret.expose(), &[])?;
        Ok(self.sign(secret, signing))
    }

    /// As [`credentials`](Self::credentials), but whether the platform can take them is not looked
    /// at: so a module signs what its host gives it.
    ///
    /// The password is an HMAC over client id, names and timestamp.
    pub fn sign(&self, secret: &Secret<'_>, signing: &Signing) -> Credentials {
        let Signing {
            client_id,
            method,
            timestamp,
            tls,
            upper_case,
        } = signing;
        let Self {
            product_key,
            device_name,
        } = self;
        let (signed, shown) = match timestamp {
            Some(timestamp) => (
                format!("timestamp{timestamp}"),
                format!(",timestamp={timestamp}"),
            ),
            None => (String::new(), String::new()),
        };
        let content =
            format!("clientId{client_id}deviceName{device_name}productKey{product_key}{signed}");
        let (mode, name) = (if *tls { 2 } else { 3 }, method.name());
        Credentials {
            client_id: format!("{client_id}|securemode={mode},signmethod={name}{shown}|"),
            username: self.username(),
            password: signature(secret, *method, &content, *upper_case),
        }
    }

    fn username(&self) -> String {
        format!("{}&{}", self.device_name, self.product_key)
    }

    /// Whether the user name can be taken apart again.
    fn check(&self) -> Result<(), CredentialsError> {
        check("the device name", &self.device_name, &['&'])?;
        check("the product key", &self.product_key, &['&'])
    }
}

/// Refuses a keepalive with which the platform refuses a CONNECT.
///
/// # Errors
/// It is none of [`KEEP_ALIVE`].
pub fn check_keep_alive(seconds: u64) -> Result<(), CredentialsError> {
    let (min, max) = (*KEEP_ALIVE.start(), *KEEP_ALIVE.end());
    if (u64::from(min)..=u64::from(max)).contains(&seconds) {
        return Ok(());
    }
    Err(CredentialsError::KeepAlive { seconds, min, max })
}

/// Refuses a client id that the platform would not take, or would not take apart as it was meant.
///
/// # Errors
/// It is empty, has more than [`CLIENT_ID_LIMIT`] characters, or holds a `|`.
pub fn check_client_id(client_id: &str) -> Result<(), CredentialsError> {
    let field = "the client id";
    check(field, client_id, &['|'])?;
    let (length, max) = (client_id.chars().count(), CLIENT_ID_LIMIT);
    if length > max {
        return Err(CredentialsError::TooLong { field, length, max });
    }
    Ok(())
}

/// The HMAC as hexadecimal digits.
fn signature(
    key: &Secret<'_>,
    method: SignMethod,
    content: &str,
    upper_case: bool,
) -> Secret<'static> {
    let signature = Hash::from(method).hmac(key.expose().as_bytes(), content.as_bytes());
    let digits = signature.iter().map(|byte| {
        if upper_case {
            format!("{byte:02X}")
        } else {
            format!("{byte:02x}")
        }
    });
    Secret::from(digits.collect::<String>())
}

#[cfg(test)]
mod tests;
