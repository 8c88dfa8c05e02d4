//! Who may connect to OneNET Studio (reference `clouds.md` 6.2, documented).

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_protocol::cloud::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::{Authenticator, ConnectReturnCode, Credentials};

/// The only version of the token.
const VERSION: &str = "2018-10-31";

/// Lets devices in as OneNET Studio does: the client id is the device's name, the user name the
/// product's id, the password a token signed with the access key of one of the two. What is signed
/// it writes down by itself, and not by the code that signs for devices.
///
/// A token that is malformed, expired or wrongly signed is refused with code 4; one for another
/// resource, or for one without a key, with code 5.
pub struct OneNet {
    /// Access keys, decoded, by resource: `products/<pid>` or `products/<pid>/devices/<name>`.
    keys: HashMap<String, Vec<u8>>,
    clock: Box<dyn Fn() -> SystemTime + Send>,
}

impl fmt::Debug for OneNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneNet")
            .field("resources", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl Default for OneNet {
    fn default() -> Self {
        Self::new(SystemTime::now)
    }
}

impl OneNet {
    /// A platform without products. By the clock tokens expire.
    pub fn new(clock: impl Fn() -> SystemTime + Send + 'static) -> Self {
        Self {
            keys: HashMap::new(),
            clock: Box::new(clock),
        }
    }

    /// Adds the access key of a product or a device, in Base64 as the platform shows it.
    ///
    /// # Panics
    /// It is no Base64.
    #[must_use]
    pub fn with_key(mut self, resource: impl Into<String>, access_key: &str) -> Self {
        let key = STANDARD.decode(access_key);
        self.keys
            .insert(resource.into(), key.expect("an access key is Base64"));
        self
    }

    fn judge(&self, credentials: &Credentials) -> Result<(), ConnectReturnCode> {
        let bad = ConnectReturnCode::BadUserNameOrPassword;
        let product = credentials.username.as_deref().ok_or(bad)?;
        let token = credentials.password.as_deref().ok_or(bad)?;
        let token = Token::parse(token).ok_or(bad)?;
        let own = format!("products/{product}");
        if token.resource != own
            && token.resource != format!("{own}/devices/{}", credentials.client_id)
        {
            return Err(ConnectReturnCode::NotAuthorized);
        }
        let key = self.keys.get(&token.resource);
        let key = key.ok_or(ConnectReturnCode::NotAuthorized)?;
        let expires =
            UNIX_EPOCH.checked_add(Duration::from_secs(token.expires.parse().map_err(|_| bad)?));
        let is_good = expires.is_some_and(|expires| expires > (self.clock)())
            && token.hash.hmac(key, token.content().as_bytes()) == token.signature;
        if is_good { Ok(()) } else { Err(bad) }
    }
}

impl Authenticator for OneNet {
    fn authenticate(&mut self, credentials: &Credentials) -> ConnectReturnCode {
        match self.judge(credentials) {
            Ok(()) => ConnectReturnCode::Accepted,
            Err(code) => code,
        }
    }
}

/// `version=…&res=…&et=…&method=…&sign=…`, its values percent-encoded.
struct Token {
    resource: String,
    expires: String,
    method: String,
    hash: Hash,
    signature: Vec<u8>,
}

impl Token {
    fn parse(token: &[u8]) -> Option<Self> {
        let token = std::str::from_utf8(token).ok()?;
        let mut values = HashMap::new();
        for part in token.split('&') {
            let (key, value) = part.split_once('=')?;
            let value = percent_decode_str(value).decode_utf8().ok()?;
            values.insert(key, value.into_owned());
        }
        if values.remove("version")? != VERSION {
            return None;
        }
        let method = values.remove("method")?;
        Some(Self {
            resource: values.remove("res")?,
            expires: values.remove("et")?,
            hash: Hash::from_name(&method)?,
            method,
            signature: STANDARD.decode(values.remove("sign")?).ok()?,
        })
    }

    fn content(&self) -> String {
        format!(
            "{}\n{}\n{}\n{VERSION}",
            self.expires, self.method, self.resource
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample key of the platform's documentation.
    const KEY: &str = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";

    fn code_at(seconds: u64, client_id: &str, username: &str, token: &str) -> u8 {
        let mut platform = OneNet::new(move || UNIX_EPOCH + Duration::from_secs(seconds))
            .with_key("products/123123", KEY)
            .with_key("products/123123/devices/mydev", KEY);
        let credentials = Credentials {
            client_id: client_id.into(),
            username: Some(username.into()),
            password: Some(token.into()),
        };
        platform.authenticate(&credentials).code()
    }

    fn token(resource: &str, method: &str, sign: &str) -> String {
        format!("version=2018-10-31&res={resource}&et=1537255523&method={method}&sign={sign}")
    }

    /// The worked examples of the reference, computed there by other means.
    #[test]
    fn the_documented_tokens_are_accepted() {
        let (product, device) = ("products%2F123123", "products%2F123123%2Fdevices%2Fmydev");
        for (resource, method, sign) in [
            (product, "sha1", "lsaPSiiGvEFFjXu5WU7a6IkScqE%3D"),
            (product, "md5", "M3jB6jcSNUuGcvW3dFcrWA%3D%3D"),
            (
                product,
                "sha256",
                "tuFMd8Cc5krZO%2BRiNaW4mad5tauSFq2J89Gd70MXQPI%3D",
            ),
            (device, "sha1", "p2Bv5QYrZolQCtt68923gtxRCVk%3D"),
            (device, "md5", "XV29qkZOl7StAMRW9zVvaQ%3D%3D"),
            (
                device,
                "sha256",
                "dL9mxHdJXyd2TZcmTna60TMUei2dYU5W6iOow7fH%2F7w%3D",
            ),
        ] {
            let token = token(resource, method, sign);
            assert_eq!(
                code_at(1_537_255_522, "mydev", "123123", &token),
                0,
                "{token}"
            );
        }
    }

    #[test]
    fn other_tokens_are_refused() {
        let right = token(
            "products%2F123123",
            "sha1",
            "lsaPSiiGvEFFjXu5WU7a6IkScqE%3D",
        );
        let before = 1_537_255_522;
        assert_eq!(code_at(before + 1, "mydev", "123123", &right), 4);
        assert_eq!(code_at(before, "mydev", "123124", &right), 5);
        assert_eq!(
            code_at(before, "mydev", "123123", &right.replace("sha1", "md5")),
            4
        );
        assert_eq!(
            code_at(before, "mydev", "123123", &right.replace("2018", "2019")),
            4
        );
        assert_eq!(code_at(before, "mydev", "123123", "secret"), 4);
        let device = "products%2F123123%2Fdevices%2Fmydev";
        let device = token(device, "sha1", "p2Bv5QYrZolQCtt68923gtxRCVk%3D");
        assert_eq!(code_at(before, "otherdev", "123123", &device), 5);
    }
}
