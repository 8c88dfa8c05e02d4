#![no_main]

#[path = "../checks/pieces.rs"]
mod pieces;
#[path = "../checks/session.rs"]
mod session;

libfuzzer_sys::fuzz_target!(|data: &[u8]| session::check(data));
