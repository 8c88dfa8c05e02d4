//! The makers' own commands.

pub mod eigencomm;
pub mod lierda;
pub mod nordic;
pub mod quectel;

pub use lierda::{COMMANDS as MODULE, HTTP, HTTP_CODES, HTTP_KEYS};
