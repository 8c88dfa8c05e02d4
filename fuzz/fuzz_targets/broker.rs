#![no_main]

#[path = "../checks/broker.rs"]
mod broker;
#[path = "../checks/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| broker::check(data));
