//! The program `atmq` from outside: what a user types, what is printed, how it ends.

mod at;
mod capture;
mod cloud;
mod config;
mod demo;
mod doctor;
mod emulate;
mod emulate_console;
mod emulate_control;
mod emulate_host;
mod emulate_profile;
mod emulate_reach;
mod endings;
mod explain;
mod files;
mod harness;
mod hints;
mod hostile;
mod monitor;
mod ports_of_every_kind;
mod publish;
mod replay;
mod shell;
mod subscribe;
mod tls;
mod usage;
