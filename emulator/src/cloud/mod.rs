//! What the module does for the cloud platforms: credentials that it computes, registration, and
//! the frames of payloads (reference `clouds.md`).

pub(crate) mod alibaba;
pub(crate) mod onenet;
mod signature;

pub(crate) use signature::{Hash, sign};

/// What a device sends in CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The client id, with what the platform wants to know behind it.
    pub(crate) client_id: String,
    /// The user name.
    pub(crate) username: String,
    /// The password: a signature or a token.
    pub(crate) password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
