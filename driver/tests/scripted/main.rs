//! The async API against a module that is a script of plain bytes, in virtual time.

mod bring_up;
mod busy;
mod cached;
mod condition;
mod connect;
mod connected;
mod detection;
mod dropped;
mod hostile;
mod listening;
mod messages;
mod module;
mod port;
mod reconnect;
mod reports;
mod settings;
mod symptoms;
mod tls;
mod topics;
