//! Every transcript, replayed against the emulated module in virtual time.

use std::time::Duration;

use atmq_emulator::Profile;
use atmq_tests::bench::Bench;
use atmq_tests::transcript::{Step, Transcript};

/// Longer than the module takes to say anything that a transcript expects, and shorter than the
/// time after which it gives up waiting for a payload.
const PATIENCE: Duration = Duration::from_secs(5);

/// The module answers the dialect's commands and those around it alike.
fn all() -> impl Iterator<Item = Transcript> {
    ["lmqtt", "standard"].into_iter().flat_map(Transcript::all)
}

/// What the module says must be what the transcript says, in the same order and to the byte.
fn replay(transcript: &Transcript, profile: Profile, pieces: usize, seed: u64) {
    let mut bench = Bench::new(profile, seed);
    let mut heard: Vec<u8> = Vec::new();
    for (line, step) in &transcript.steps {
        let at = format!("{}.txt:{line}, seed {seed}", transcript.name);
        match step {
            Step::Host(bytes) => {
                assert_heard(&at, &heard, b"");
                for piece in bytes.chunks(pieces) {
                    bench.send(piece);
                    heard.append(&mut bench.take_heard());
                }
            }
            Step::Broker(step) => {
                assert_heard(&at, &heard, b"");
                bench.broker(step);
            }
            Step::World(step) => {
                assert_heard(&at, &heard, b"");
                bench.world(step);
            }
            Step::Module(expected) => {
                let limit = bench.now() + PATIENCE;
                heard.append(&mut bench.take_heard());
                while heard.len() < expected.len() && bench.pass_until(limit) {
                    heard.append(&mut bench.take_heard());
                }
                assert_heard(&at, &heard[..expected.len().min(heard.len())], expected);
                heard.drain(..expected.len());
            }
        }
    }
    bench.pass_until(bench.now() + PATIENCE);
    heard.append(&mut bench.take_heard());
    assert_heard(&format!("the end of {}", transcript.name), &heard, b"");
}

#[track_caller]
fn assert_heard(at: &str, heard: &[u8], expected: &[u8]) {
    assert!(
        heard == expected,
        "{at}: the module said\n  {}\ninstead of\n  {}",
        heard.escape_ascii(),
        expected.escape_ascii()
    );
}

#[test]
fn an_instant_module_says_what_the_transcripts_say() {
    for transcript in all() {
        for pieces in [usize::MAX, 3, 1] {
            replay(&transcript, Profile::nt35e().instant(), pieces, 0);
        }
    }
}

#[test]
fn a_module_with_its_own_timing_says_the_same() {
    for transcript in all() {
        for seed in 0..20 {
            replay(&transcript, Profile::nt35e(), usize::MAX, seed);
        }
    }
}
