use std::io;
use std::time::Duration;

use atmq_protocol::at::result_code::FinalResult;
use tokio::time::{Instant, timeout_at};

use super::PROMPT_MARGIN;
use super::wire::{Moved, Outgoing, Stream};
use crate::port::Port;
use crate::session::Transmit;
use crate::settings::Direction;

/// The rates that are tried after the one that was given, the usual ones first. Ours.
const RATES: [u32; 8] = [
    115_200, 9600, 57_600, 38_400, 19_200, 230_400, 460_800, 921_600,
];

/// How often a rate is tried. The first command may end what was garbage to the module, the next
/// wake it up. Ours.
const TRIES: usize = 3;

/// How long the answer to each is awaited. Ours: a module answers within 10 ms or so, and the
/// line itself takes as long at 9600 Bd.
const PATIENCE: Duration = Duration::from_millis(300);

/// The bytes in which an answer is looked for.
const KEPT: usize = 256;

const ATTENTION: &[u8] = b"AT\r";

/// The same as [`find`], of a port that no task owns yet.
pub(crate) async fn find_baud_rate(
    port: Port,
    given: u32,
    patience: Option<Duration>,
) -> io::Result<(Port, Option<u32>)> {
    let mut stream = Stream::Port(port);
    let rate = find(&mut stream, given, patience, |_, _| {}).await?;
    match stream {
        Stream::Port(port) => Ok((port, rate)),
        Stream::Other(_) => unreachable!("it was made of a port"),
    }
}

/// Finds the rate at which the module answers, and leaves the port at it, or else at `given`.
/// `None`: at no rate, or the rate of the port cannot be set.
///
/// `patience`: the module may wait for so long for data that another program has announced. Then
/// `AT` is sent once, and the other rates are tried when that time has passed in silence: what
/// arrives at a wrong rate is data as well.
pub(super) async fn find(
    stream: &mut Stream,
    given: u32,
    patience: Option<Duration>,
    mut show: impl FnMut(Direction, &[u8]),
) -> io::Result<Option<u32>> {
    if let Some(patience) = patience {
        // A port that has no rate is spoken to as it is.
        let _ = stream.set_baud_rate(given);
        if answers(stream, 1, &mut show).await? {
            return Ok(Some(given));
        }
        let patience = patience + PROMPT_MARGIN;
        tracing::warn!(
            "the module does not answer AT; it may be waiting for data that an earlier program \
             announced, so nothing more is sent for {} s",
            patience.as_secs()
        );
        if hears_answer(
            stream,
            &mut Vec::new(),
            None,
            Instant::now() + patience,
            &mut show,
        )
        .await?
        {
            return Ok(Some(given));
        }
    }
    let others = RATES.into_iter().filter(|rate| *rate != given);
    for rate in std::iter::once(given).chain(others) {
        // A device may not have it.
        if stream.set_baud_rate(rate).is_err() {
            continue;
        }
        if answers(stream, TRIES, &mut show).await? {
            return Ok(Some(rate));
        }
    }
    // What it was before, for a module that wakes up later.
    let _ = stream.set_baud_rate(given);
    Ok(None)
}

/// Whether the module answers at the rate that is set, asked so many times.
async fn answers(
    stream: &mut Stream,
    tries: usize,
    show: &mut impl FnMut(Direction, &[u8]),
) -> io::Result<bool> {
    let mut heard = Vec::new();
    for _ in 0..tries {
        show(Direction::HostToModule, ATTENTION);
        let attention = Transmit {
            bytes: ATTENTION.to_vec(),
            secrets: Vec::new(),
        };
        let until = Instant::now() + PATIENCE;
        if hears_answer(stream, &mut heard, Some((attention, 0)), until, show).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes what is to be written, and tells whether an answer comes. `heard`: what has come before.
async fn hears_answer(
    stream: &mut Stream,
    heard: &mut Vec<u8>,
    mut out: Outgoing,
    until: Instant,
    show: &mut impl FnMut(Direction, &[u8]),
) -> io::Result<bool> {
    let mut buffer = [0; 64];
    while let Ok(moved) = timeout_at(until, stream.moved(&mut buffer, &mut out, true)).await {
        let Moved::Read(length) = moved? else {
            continue;
        };
        show(Direction::ModuleToHost, &buffer[..length]);
        heard.extend_from_slice(&buffer[..length]);
        if is_answer(heard) {
            return Ok(true);
        }
        heard.drain(..heard.len().saturating_sub(KEPT));
    }
    Ok(false)
}

/// Whether a whole line among these bytes is a final result code. An error is one as well: what
/// was sent at a wrong rate may have begun the line.
fn is_answer(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.any(|line| line.ends_with(b"\r\n") && FinalResult::decode(line.trim_ascii()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_result_code_is_an_answer() {
        for answer in [
            &b"\r\nOK\r\n"[..],
            b"AT\r\r\nOK\r\n",
            b"\xf8\x00\x1f\r\nERROR\r\n",
            b"+CEREG: 1\r\n\r\n+CME ERROR: 3\r\n",
        ] {
            assert!(is_answer(answer), "{}", answer.escape_ascii());
        }
        for noise in [&b"\r\nOK"[..], b"AT\r", b"\xf8OK\r\n", b"\0\xff\n", b""] {
            assert!(!is_answer(noise), "{}", noise.escape_ascii());
        }
    }
}
