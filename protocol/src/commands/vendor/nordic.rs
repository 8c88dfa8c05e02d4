//! Nordic's serial modem: known for what is a secret in it (reference `others.md` 2).

use crate::spec::{Param, Source, Spec};

/// The commands of firmware that speaks no dialect of ours.
pub const COMMANDS: &[Spec] = &[Spec::new(
    "#XMQTTCON",
    "connects to the broker, or disconnects",
    Source::documented("reference others.md"),
)
.takes(&[
    Param::number("op", &[(0, 2)], "disconnect, or connect by IPv4 or IPv6"),
    Param::text("username", 32, "the user name").optional(),
    Param::secret("password", "the password").optional(),
    Param::text("url", 128, "the broker").optional(),
    Param::number("port", &[(1, 65535)], "its TCP port").optional(),
    Param::number("sec_tag", &[(0, 2_147_483_647)], "the credentials of TLS").optional(),
])];
