//! One HTTP/1.1 request and its response, without I/O or clock.

mod request;
mod response;

pub(crate) use request::encode;
pub(crate) use response::{ResponseError, ResponseReader};
