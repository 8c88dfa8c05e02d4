//! One HTTP/1.1 request and its response, without I/O or clock.

mod request;
mod response;
mod url;

pub(crate) use request::{Method, Request};
pub(crate) use response::{Response, ResponseError, ResponseReader};
pub(crate) use url::Url;
