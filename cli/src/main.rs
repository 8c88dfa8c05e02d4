//! The program `atmq`.

fn main() {}
