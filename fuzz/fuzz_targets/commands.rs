#![no_main]

#[path = "../checks/commands.rs"]
mod commands;
#[path = "../checks/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| commands::check(data));
