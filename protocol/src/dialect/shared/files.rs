use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::mqtt::ConnectionId;

/// What is known of the files that the module was given.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Files {
    stored: Vec<File>,
    /// On their way.
    given: Vec<File>,
    /// Which context secures a connection.
    contexts: Vec<(ConnectionId, u8)>,
}

#[derive(Debug, Clone)]
struct File {
    context: u8,
    name: String,
    bytes: Arc<[u8]>,
}

impl Files {
    /// Whether the file has to be given to the module; half a file is no file.
    pub(in crate::dialect) fn needs(&mut self, context: u8, name: &str, bytes: &Arc<[u8]>) -> bool {
        let known = self
            .stored
            .iter()
            .any(|file| file.name == name && file.bytes == *bytes);
        if !known {
            self.stored.retain(|file| file.name != name);
            self.given.retain(|file| file.name != name);
            self.given.push(File {
                context,
                name: name.to_string(),
                bytes: bytes.clone(),
            });
        }
        !known
    }

    /// This context secures the connection from now on.
    pub(in crate::dialect) fn use_context(
        &mut self,
        connection: ConnectionId,
        context: Option<u8>,
    ) {
        self.contexts.retain(|(other, _)| *other != connection);
        self.contexts
            .extend(context.map(|context| (connection, context)));
    }

    /// The module has stored it.
    pub(in crate::dialect) fn stored(&mut self, name: &str) {
        if let Some(at) = self.given.iter().position(|file| file.name == name) {
            let file = self.given.swap_remove(at);
            self.stored.push(file);
        }
    }

    /// Whether the module has those of this connection's context nobody knows.
    pub(in crate::dialect) fn forget_those_of(&mut self, connection: ConnectionId) {
        let mut contexts = self.contexts.iter();
        let Some((_, context)) = contexts.find(|(of, _)| *of == connection) else {
            return self.forget();
        };
        self.stored.retain(|file| file.context != *context);
    }

    /// Whether the module has any of them nobody knows.
    pub(in crate::dialect) fn forget(&mut self) {
        *self = Self::default();
    }
}
