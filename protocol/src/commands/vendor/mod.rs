//! The makers' own commands.

pub mod eigencomm;
pub mod lierda;
pub mod nordic;
pub mod quectel;
pub mod simcom;
