//! What a host (DTE) and a cellular MQTT module (DCE) say to each other, as types.
//!
//! Everything here is bytes to meaning and back. There is no I/O, no clock, no task and no log,
//! so driver, emulator, tests and fuzzers share it. One definition of each command and result
//! code serves both directions:
//!
//! | module | what it holds |
//! |---|---|
//! | [`at`] | lines, prompts and data in a stream; commands, parameters, result codes |
//! | [`standard`] | the V.250, 3GPP and identity commands that hosts send around MQTT |
//! | [`mqtt`] | the MQTT vocabulary that every dialect maps to: requests, settings, URCs |
//! | [`dialect`] | the command sets themselves |
//! | [`spec`] | what there is to know of a command, as data |
//! | [`commands`] | the commands that belong to no dialect, as such data |
//! | [`http`] | what a module's HTTP client is asked for |
//! | [`redact`] | which part of a command line is a secret |
//! | [`limits`] | what a module model accepts: lengths, ranges, number of connections |
//! | [`throttle`] | how often a line of one kind is logged |
//! | `cloud` | with the feature `cloud`: credentials and frames of cloud platforms |
//!
//! The crate is `no_std` with `alloc`.

#![no_std]

extern crate alloc;

pub mod at;
#[cfg(feature = "cloud")]
pub mod cloud;
pub mod commands;
pub mod dialect;
pub mod http;
pub mod limits;
pub mod mqtt;
pub mod redact;
mod secret;
pub mod spec;
pub mod standard;
pub mod throttle;

pub use secret::Secret;
