//! OneNET Studio, the new MQTT service (reference `clouds.md` 6.2, documented).
//!
//! ```
//! use atmq_protocol::cloud::Hash;
//! use atmq_protocol::cloud::onenet::studio::{AccessKey, Device};
//!
//! let device = Device::new("123123", "mydev");
//! let key = AccessKey::product("KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=")?;
//! let credentials = device.credentials(&key, Hash::Sha1, 1_537_255_523)?;
//! assert_eq!(credentials.client_id, "mydev");
//! assert_eq!(credentials.username, "123123");
//! assert_eq!(
//!     credentials.password.expose(),
//!     "version=2018-10-31&res=products%2F123123&et=1537255523&method=sha1\
//!      &sign=lsaPSiiGvEFFjXu5WU7a6IkScqE%3D"
//! );
//! # Ok::<(), atmq_protocol::cloud::CredentialsError>(())
//! ```

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Secret;
use crate::cloud::credentials::check;
use crate::cloud::{Credentials, CredentialsError, Hash};

/// The only version of the token.
const VERSION: &str = "2018-10-31";

/// What is escaped in the values of a token: all but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A device of OneNET Studio.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Device {
    /// The product's id.
    pub product_id: String,
    /// The device's name.
    pub name: String,
}

/// The key that tokens are signed with. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    key: Vec<u8>,
    of: KeyOwner,
}

/// Whose key it is: a token is good for that resource only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// The product, and with it all of its devices.
    Product,
    /// One device.
    Device,
}

impl AccessKey {
    /// The key of a product, in Base64 as the platform shows it.
    ///
    /// # Errors
    /// It is empty or no Base64.
    pub fn product(base64: &str) -> Result<Self, CredentialsError> {
        Self::new(base64, KeyOwner::Product)
    }

    /// The key of a device, in Base64 as the platform shows it.
    ///
    /// # Errors
    /// It is empty or no Base64.
    pub fn device(base64: &str) -> Result<Self, CredentialsError> {
        Self::new(base64, KeyOwner::Device)
    }

    fn new(base64: &str, of: KeyOwner) -> Result<Self, CredentialsError> {
        check("the access key", base64, &[])?;
        let key = STANDARD.decode(base64);
        let key = key.map_err(|_| CredentialsError::AccessKey)?;
        Ok(Self { key, of })
    }

    /// A token for `resource`, such as `products/123123`, good until `expires`, in seconds since
    /// 1970.
    pub fn token(&self, resource: &str, hash: Hash, expires: u64) -> Secret<'static> {
        let method = hash.name();
        let content = format!("{expires}\n{method}\n{resource}\n{VERSION}");
        let signature = STANDARD.encode(hash.hmac(&self.key, content.as_bytes()));
        let (resource, signature) = (escape(resource), escape(&signature));
        Secret::from(format!(
            "version={VERSION}&res={resource}&et={expires}&method={method}&sign={signature}"
        ))
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({:?}, ***)", self.of)
    }
}

impl Device {
    /// A device of a product.
    pub fn new(product_id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            product_id: product_id.into(),
            name: name.into(),
        }
    }

    /// The credentials of the device, with a token that is good until `expires`, in seconds since
    /// 1970.
    ///
    /// # Errors
    /// The product's id or the device's name is empty or holds a `/`.
    pub fn credentials(
        &self,
        key: &AccessKey,
        hash: Hash,
        expires: u64,
    ) -> Result<Credentials, CredentialsError> {
        check("the product id", &self.product_id, &['/'])?;
        check("the device name", &self.name, &['/'])?;
        let resource = match key.of {
            KeyOwner::Product => format!("products/{}", self.product_id),
            KeyOwner::Device => format!("products/{}/devices/{}", self.product_id, self.name),
        };
        Ok(Credentials {
            client_id: self.name.clone(),
            username: self.product_id.clone(),
            password: key.token(&resource, hash, expires),
        })
    }

    /// The topic of the device for a purpose.
    pub fn topic(&self, topic: Topic) -> String {
        format!("$sys/{}/{}/{}", self.product_id, self.name, topic.path())
    }
}

/// What a topic of a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The device publishes data points, as `{"id":123,"dp":{"k":[{"v":30,"t":1552289676}]}}`.
    DataPoints,
    /// The platform has taken data points.
    DataPointsAccepted,
    /// The platform has refused data points.
    DataPointsRejected,
    /// The device publishes properties.
    PropertyPost,
    /// The platform sets properties.
    PropertySet,
}

impl Topic {
    fn path(self) -> &'static str {
        match self {
            Self::DataPoints => "dp/post/json",
            Self::DataPointsAccepted => "dp/post/json/accepted",
            Self::DataPointsRejected => "dp/post/json/rejected",
            Self::PropertyPost => "thing/property/post",
            Self::PropertySet => "thing/property/set",
        }
    }
}

fn escape(text: &str) -> String {
    format!("{}", utf8_percent_encode(text, ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample key of the platform's documentation.
    const KEY: &str = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";
    const EXPIRES: u64 = 1_537_255_523;

    /// The worked examples of the reference, computed there by other means, every row.
    #[test]
    fn tokens_are_the_worked_examples() {
        let (product, device) = (AccessKey::product(KEY), AccessKey::device(KEY));
        let (product, device) = (product.unwrap(), device.unwrap());
        let of = "products%2F123123";
        for (key, hash, resource, sign) in [
            (&product, Hash::Sha1, of, "lsaPSiiGvEFFjXu5WU7a6IkScqE="),
            (&product, Hash::Md5, of, "M3jB6jcSNUuGcvW3dFcrWA=="),
            (
                &product,
                Hash::Sha256,
                of,
                "tuFMd8Cc5krZO+RiNaW4mad5tauSFq2J89Gd70MXQPI=",
            ),
            (
                &device,
                Hash::Sha1,
                "products%2F123123%2Fdevices%2Fmydev",
                "p2Bv5QYrZolQCtt68923gtxRCVk=",
            ),
            (
                &device,
                Hash::Md5,
                "products%2F123123%2Fdevices%2Fmydev",
                "XV29qkZOl7StAMRW9zVvaQ==",
            ),
            (
                &device,
                Hash::Sha256,
                "products%2F123123%2Fdevices%2Fmydev",
                "dL9mxHdJXyd2TZcmTna60TMUei2dYU5W6iOow7fH/7w=",
            ),
        ] {
            let credentials = Device::new("123123", "mydev").credentials(key, hash, EXPIRES);
            let sign = sign
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D");
            assert_eq!(
                credentials.unwrap().password.expose(),
                format!(
                    "version=2018-10-31&res={resource}&et=1537255523&method={}&sign={sign}",
                    hash.name()
                )
            );
        }
    }

    /// The full token of the reference, byte for byte.
    #[test]
    fn the_full_token_is_the_worked_example() {
        let token = AccessKey::product(KEY)
            .unwrap()
            .token("products/123123", Hash::Sha1, EXPIRES);
        assert_eq!(
            token.expose(),
            "version=2018-10-31&res=products%2F123123&et=1537255523&method=sha1\
             &sign=lsaPSiiGvEFFjXu5WU7a6IkScqE%3D"
        );
    }

    #[test]
    fn topics_name_product_and_device() {
        let device = Device::new("123123", "mydev");
        for (topic, expected) in [
            (Topic::DataPoints, "$sys/123123/mydev/dp/post/json"),
            (
                Topic::DataPointsAccepted,
                "$sys/123123/mydev/dp/post/json/accepted",
            ),
            (
                Topic::DataPointsRejected,
                "$sys/123123/mydev/dp/post/json/rejected",
            ),
            (Topic::PropertyPost, "$sys/123123/mydev/thing/property/post"),
            (Topic::PropertySet, "$sys/123123/mydev/thing/property/set"),
        ] {
            assert_eq!(device.topic(topic), expected);
        }
    }

    #[test]
    fn what_the_platform_cannot_take_is_refused() {
        assert_eq!(
            AccessKey::product("secret!"),
            Err(CredentialsError::AccessKey)
        );
        let empty = CredentialsError::Empty {
            field: "the access key",
        };
        assert_eq!(AccessKey::device(""), Err(empty));
        let key = AccessKey::product(KEY).unwrap();
        for (product, name) in [
            ("", "mydev"),
            ("123123", ""),
            ("1/2", "mydev"),
            ("123123", "a/b"),
        ] {
            let device = Device::new(product, name);
            assert!(
                device.credentials(&key, Hash::Md5, 0).is_err(),
                "{device:?}"
            );
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let key = AccessKey::device(KEY).unwrap();
        assert_eq!(format!("{key:?}"), "AccessKey(Device, ***)");
    }
}
