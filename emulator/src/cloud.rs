//! Credentials that the module computes by itself.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// What a device sends in CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The client id, with what the platform wants to know behind it.
    pub client_id: String,
    /// The user name.
    pub username: String,
    /// The password, a signature.
    pub password: String,
}

/// The timestamp that EigenComm's module source has built in (reference `clouds.md` 5).
const TIMESTAMP: &str = "20130219";

/// Alibaba Cloud's credentials in the form that the key `aliauth` produces: HMAC-SHA1 over the
/// client id, the device and a fixed timestamp (reference `clouds.md` 5; read in ECMT source,
/// inferred for LMQTT). `secure` is whether the link is TLS.
pub(crate) fn alibaba(
    client_id: &str,
    product_key: &str,
    device_name: &str,
    device_secret: &str,
    secure: bool,
) -> Credentials {
    let content = format!(
        "clientId{client_id}deviceName{device_name}productKey{product_key}timestamp{TIMESTAMP}"
    );
    let mut mac = Hmac::<Sha1>::new_from_slice(device_secret.as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(content.as_bytes());
    let signature = mac.finalize().into_bytes();
    let mode = if secure { 2 } else { 3 };
    Credentials {
        client_id: format!(
            "{client_id}|securemode={mode},signmethod=hmacsha1,timestamp={TIMESTAMP}|"
        ),
        username: format!("{device_name}&{product_key}"),
        password: signature.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked examples of the reference, computed there by other means.
    #[test]
    fn the_signature_is_the_platforms() {
        let secret = "0123456789abcdef0123456789abcdef";
        let credentials = |client_id| alibaba(client_id, "a1B2c3D4e5F", "dev001", secret, false);
        assert_eq!(
            credentials("dev001"),
            Credentials {
                client_id: "dev001|securemode=3,signmethod=hmacsha1,timestamp=20130219|".into(),
                username: "dev001&a1B2c3D4e5F".into(),
                password: "60d415e9845147836193e221bba594b01b20b7a8".into(),
            }
        );
        assert_eq!(
            credentials("NT35E").password,
            "aa2617bb0f173b93f85f19c7f68e38c42d884cc6"
        );
    }

    #[test]
    fn a_secure_link_is_announced() {
        let credentials = alibaba("id", "pk", "dn", "ds", true);
        assert_eq!(
            credentials.client_id,
            "id|securemode=2,signmethod=hmacsha1,timestamp=20130219|"
        );
    }
}
