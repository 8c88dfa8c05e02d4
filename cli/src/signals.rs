//! Signals that tell the program to end.

use std::future::poll_fn;
use std::sync::mpsc::sync_channel;
use std::task::Poll;
use std::thread;

use rustix::process::Signal;
use tokio::runtime;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::output;

/// Waits for Ctrl-C, SIGTERM, or SIGHUP: the terminal is closed. These are noticed from the call
/// on, not from the first poll, and even while something waits for standard output to take bytes.
/// A SIGHUP that is ignored, as under `nohup`, stays so.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    stopped_by(&[Signal::INT, Signal::TERM, Signal::HUP])
}

/// The same, of these signals.
pub(crate) fn stopped_by(signals: &'static [Signal]) -> impl Future<Output = ()> {
    let mut handlers = handle(signals);
    let (begun, begins) = sync_channel(1);
    let thread = thread::Builder::new().name("signals".into());
    let watching = thread.spawn(move || {
        let Ok(runtime) = runtime::Builder::new_current_thread().enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            let mut handlers = handle(signals);
            // Whoever waits for this is still there.
            let _ = begun.send(());
            first(&mut handlers).await;
        });
        output::hurry();
    });
    if watching.is_ok() {
        // Dropped instead, if the thread cannot do its work.
        let _ = begins.recv();
    }
    async move {
        first(&mut handlers).await;
    }
}

/// The same signals one by one, for those who hand them on.
pub(crate) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// They are noticed from now on.
    pub(crate) fn new() -> Self {
        let all = [Signal::INT, Signal::TERM, Signal::HUP];
        Self(handle(&all))
    }

    /// Which one comes next.
    pub(crate) async fn next(&mut self) -> Signal {
        first(&mut self.0).await
    }
}

/// Has a write beyond the limit of a file's size fail. Unless that is done it ends the program.
pub(crate) fn outlive_file_size_limit() {
    // Where that cannot be done all is as before.
    let _ = signal(kind(Signal::XFSZ));
}

fn handle(signals: &[Signal]) -> Vec<(Signal, unix::Signal)> {
    let heeded = signals
        .iter()
        .filter(|of| **of != Signal::HUP || !is_ignored(**of));
    heeded
        .map(|of| {
            let handler = signal(kind(*of)).expect("signals that end a program can be handled");
            (*of, handler)
        })
        .collect()
}

/// Waits for the first signal that comes.
async fn first(handlers: &mut [(Signal, unix::Signal)]) -> Signal {
    poll_fn(|cx| {
        let mut handlers = handlers.iter_mut();
        let come = |(signal, handler): &mut (Signal, unix::Signal)| {
            handler.poll_recv(cx).is_ready().then_some(*signal)
        };
        match handlers.find_map(come) {
            Some(signal) => Poll::Ready(signal),
            None => Poll::Pending,
        }
    })
    .await
}

fn kind(signal: Signal) -> SignalKind {
    SignalKind::from_raw(signal.as_raw())
}

/// Whether the program was started with this signal ignored, as `nohup` does. Only Linux says.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}
