use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::mqtt::SignMethod;

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hash {
    /// MD5
    Md5,
    /// SHA-1
    #[default]
    Sha1,
    /// SHA-256
    Sha256,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Md5, Self::Sha1, Self::Sha256];

    /// The name that OneNET has for it (reference `clouds.md` 6.2): `md5`, `sha1`, `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// From OneNET's name; `None` if there is no such hash.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// The HMAC of `content`.
    pub fn hmac(self, key: &[u8], content: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => mac::<Hmac<Md5>>(key, content),
            Self::Sha1 => mac::<Hmac<Sha1>>(key, content),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, content),
        }
    }
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

fn mac<M: Mac + KeyInit>(key: &[u8], content: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(content);
    mac.finalize().into_bytes().to_vec()
}
