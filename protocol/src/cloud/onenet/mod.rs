//! OneNET: the old MQTT service and OneNET Studio (reference `clouds.md` 6).
//!
//! The old service takes [`DataPoints`] in binary frames on [`DATA_POINTS`] and sends
//! [`Command`]s:
//!
//! ```
//! use atmq_protocol::cloud::onenet::{Command, DataPoints};
//!
//! let points = DataPoints::simple([("t", 22.5)]);
//! assert_eq!(points.encode()?, b"\x03\x00\x0a{\"t\":22.5}");
//!
//! let command = Command::from_topic("$creq/2c1f-77").unwrap();
//! assert_eq!(command.response_topic(), "$crsp/2c1f-77");
//! # Ok::<(), atmq_protocol::cloud::onenet::FrameError>(())
//! ```
//!
//! OneNET Studio takes a token in place of a password, see [`studio`].

mod command;
mod data_points;
mod frame;
pub mod studio;
mod text;
mod time;

pub use command::Command;
pub use data_points::{DataPoints, Point, Stream};
pub use frame::{DataType, FrameError, frame};
/// JSON, as the values of data points are.
pub use serde_json::{Map, Value};
pub use text::{TextPoint, TextPoints};
pub use time::Time;

use super::credentials::check;
use super::{Credentials, CredentialsError};
use crate::Secret;

/// Where data points are published.
pub const DATA_POINTS: &str = "$dp";

/// The topic filter of commands. The platform sends them without a subscription (inferred); a
/// broker in its place does not.
pub const COMMANDS: &str = "$creq/#";

/// The credentials of the old MQTT service: the device's and the product's number, and what the
/// device proves itself with.
///
/// # Errors
/// One of them is empty.
pub fn credentials(
    product_id: &str,
    device_id: &str,
    authentication: &Secret<'_>,
) -> Result<Credentials, CredentialsError> {
    check("the product id", product_id, &[])?;
    check("the device id", device_id, &[])?;
    check(
        "the authentication information",
        authentication.expose(),
        &[],
    )?;
    Ok(Credentials {
        client_id: device_id.into(),
        username: product_id.into(),
        password: authentication.clone().into_owned(),
    })
}

#[cfg(test)]
mod tests;
