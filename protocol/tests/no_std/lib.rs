//! A program without `std` that reads and writes commands. It is built and never run: if a
//! dependency of `atmq-protocol` brought `std` in, the panic handler would be defined twice.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::dialect::lmqtt::{Context};
use atmq_protocol::at::framing::{Frame, ResponseReader};
use atmq_protocol::dialect::lmqtt::FormatTable;
use atmq_protocol::standard::StandardRequest;

/// Counts the URCs of MQTT in what a module has sent, and writes the next command behind it.
pub fn next_command(heard: &[u8], out: &mut Vec<u8>) -> usize {
    let formats = FormatTable::default();
    let dialect: &dyn Dialect = &Lmqtt::DEFAULT;
    let mut reader = ResponseReader::new(1024);
    reader.push(heard);
    let mut urcs = 0;
    let context = Context {
        limits: &atmq_protocol::dialect::lmqtt::NT26.limits,
        formats: &formats,
    };
    while let Some(frame) = reader.next(|line| dialect.extent(line, context)) {
        if let Frame::Line(line) | Frame::Message { line, .. } = frame {
            urcs += usize::from(dialect.decode_urc(line, &formats).is_some());
        }
    }
    StandardRequest::SignalQuality.encode(out);
    urcs
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
