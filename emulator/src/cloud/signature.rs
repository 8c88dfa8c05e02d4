use atmq_protocol::mqtt::SignMethod;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha256,
}

impl From<SignMethod> for Hash {
    fn from(method: SignMethod) -> Self {
        match method {
            SignMethod::HmacMd5 => Self::Md5,
            SignMethod::HmacSha1 => Self::Sha1,
            SignMethod::HmacSha256 => Self::Sha256,
        }
    }
}

/// The HMAC of `content`.
pub(crate) fn sign(hash: Hash, key: &[u8], content: &str) -> Vec<u8> {
    match hash {
        Hash::Md5 => mac::<Hmac<Md5>>(key, content),
        Hash::Sha1 => mac::<Hmac<Sha1>>(key, content),
        Hash::Sha256 => mac::<Hmac<Sha256>>(key, content),
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], content: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
