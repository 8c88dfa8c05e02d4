//! The answers to the test forms, all inferred from ECMT and QMT: ranges where they are known,
//! the parameter's name in angle brackets where they are not.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};

use super::command::{CFG, CLOSE, CONN, DISC, OPEN, PUB, PUBEX, READ, SUBUNSUB};
use super::tls::{FUPL, SSLCFG};
use super::{Lmqtt, tls};
use crate::at::command::Command;
use crate::limits::Limits;

pub(super) fn lines(command: &Command<'_>, dialect: &Lmqtt, limits: &Limits) -> Vec<String> {
    let id = match limits.connections {
        1 => "(0)".into(),
        connections => format!("(0-{})", connections - 1),
    };
    if command.is(CFG) {
        return settings(&id, dialect, limits);
    }
    if command.is(SSLCFG) {
        return tls::ranges()
            .map(|(key, values)| format!("{SSLCFG}: \"{key}\",(0-5),{values}"))
            .collect();
    }
    if command.is(FUPL) {
        return vec![format!("{FUPL}: \"<filename>\",(1-16384),(1-65535)")];
    }
    let (name, rest) = if command.is(OPEN) {
        (OPEN, ",<host_name>,<port>")
    } else if command.is(CLOSE) {
        (CLOSE, "")
    } else if command.is(CONN) {
        (CONN, ",<clientID>,<username>,<password>")
    } else if command.is(DISC) {
        (DISC, "")
    } else if command.is(SUBUNSUB) {
        (SUBUNSUB, ",(0,1),(1-65535),\"<topic>\",(0-2)")
    } else if command.is(READ) {
        (READ, ",(0-65535)")
    } else if command.is(PUBEX) {
        (PUBEX, ",(0-65535),(0-2),(0,1),\"<topic>\",<len>")
    } else {
        (
            PUB,
            ",(1-65535),(0-2),(0,1),\"<topic>\",<len>[,\"<payload>\"]",
        )
    };
    vec![format!("{name}: {id}{rest}")]
}

fn settings(id: &str, dialect: &Lmqtt, limits: &Limits) -> Vec<String> {
    let keep_alive = format!("(0-{})", limits.keep_alive);
    [
        ("version", "(3,4)"),
        ("session", "(0,1)"),
        ("keepalive", &keep_alive),
        ("timeout", "(1-60),(1-10),(0,1)"),
        ("will", "(0,1),(0-2),(0,1),\"<will_topic>\",\"<will_msg>\""),
        ("recv/mode", "(0-2),(0,1)"),
        ("send/mode", "(0-2)"),
        ("dataformat", "(0-2),(0-2)"),
        ("cache", "(0,1)"),
        ("urc", "(0,1)"),
        ("cloud", "(0-255),(0-255)"),
        (
            "aliauth",
            "\"<product_key>\",\"<device_name>\",\"<device_secret>\"",
        ),
        ("raimode", "(0,1)"),
        ("pdpcid", "(1-15)"),
        ("sslenable", "(0,1),(0-5)"),
    ]
    .iter()
    .filter(|(key, _)| dialect.pdp_context || *key != "pdpcid")
    .map(|(key, values)| format!("{CFG}: \"{key}\",{id},{values}"))
    .collect()
}
