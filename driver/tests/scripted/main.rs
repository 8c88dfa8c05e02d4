//! The async API against a module that is a script of plain bytes, in virtual time.

mod connect;
mod messages;
mod module;
mod port;
mod reconnect;
mod symptoms;
