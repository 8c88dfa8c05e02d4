#![no_main]

#[path = "../checks/pieces.rs"]
mod pieces;
#[path = "../checks/responses.rs"]
mod responses;

libfuzzer_sys::fuzz_target!(|data: &[u8]| responses::check(data));
