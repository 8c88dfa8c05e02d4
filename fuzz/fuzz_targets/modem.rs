#![no_main]

#[path = "../checks/modem.rs"]
mod modem;
#[path = "../checks/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| modem::check(data));
