#![no_main]

#[path = "../checks/pieces.rs"]
mod pieces;
#[path = "../checks/publisher.rs"]
mod publisher;

libfuzzer_sys::fuzz_target!(|data: &[u8]| publisher::check(data));
