//! A program without `std` that reads and writes commands. It is built and never run: if a
//! dependency of `atmq-protocol` brought `std` in, the panic handler would be defined twice.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

use atmq_protocol::at::framing::{Frame, ResponseReader};
use atmq_protocol::dialect::lmqtt::NT26;
use atmq_protocol::standard::StandardRequest;

/// Counts what a module has reported of MQTT, and writes the next command behind it.
pub fn next_command(heard: &[u8], out: &mut Vec<u8>) -> usize {
    let mut host = NT26.dialect.host(&NT26.limits);
    let mut reader = ResponseReader::new(1024);
    reader.push(heard);
    let mut reports = 0;
    while let Some(frame) = reader.next(|line| host.extent(line)) {
        if let Frame::Line(line) | Frame::Message { line, .. } = frame {
            reports += usize::from(host.read(line, None).is_some());
        }
    }
    StandardRequest::SignalQuality.encode(out);
    reports
}

struct Nothing;

// A linked program brings its allocator; this one hands out nothing, so it keeps every promise.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
