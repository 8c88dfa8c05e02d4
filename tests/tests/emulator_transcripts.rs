//! Every transcript, replayed against the emulated module in virtual time.

use std::sync::Arc;
use std::time::Duration;

use atmq_emulator::modem::Cell;
use atmq_emulator::{Latency, Profile, ProfileChange, ResultOrder};
use atmq_protocol::at::command::Command;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::{
    self, CacheOverflow, Dialect, HexLength, Lmqtt, PublishExtendedUrc, Qmt, UnsubscribeUrc,
};
use atmq_protocol::mqtt::SignMethod;
use atmq_protocol::spec::Test;
use atmq_tests::bench::Bench;
use atmq_tests::transcript::{Step, Transcript};

/// Longer than the module takes to say anything that a transcript expects.
const PATIENCE: Duration = Duration::from_secs(100);

/// Longer than the module needs to say more than a transcript expects at its end.
const SILENCE: Duration = Duration::from_secs(5);

/// The folders with what modules say to the commands of their dialects.
const DIALECTS: &[&str] = &["lmqtt", "cmqtt", "qmt", "sm"];

/// The module answers the dialect's commands and those around it alike.
fn all() -> impl Iterator<Item = Transcript> {
    let folders = DIALECTS.iter().chain(&["standard"]);
    folders.copied().flat_map(Transcript::all)
}

/// The module of a transcript that names its profile, with its changes.
fn other(name: &str, transcript: &Transcript) -> Profile {
    let text = Profile::text(name).unwrap_or_else(|| panic!("{name} is no profile"));
    let changes = transcript.switches.iter().map(|change| change.parse());
    let changes: Result<Vec<ProfileChange>, _> = changes.collect();
    let changes = changes.unwrap_or_else(|error| panic!("{}: {error}", transcript.name));
    let profile = Profile::parse_with(text, &changes);
    profile.unwrap_or_else(|error| panic!("{}: {error}", transcript.name))
}

/// The module of a transcript that does not, with its switches.
fn switched(mut profile: Profile, transcript: &Transcript) -> Profile {
    let (mut dialect, quirks) = (Lmqtt::DEFAULT, &mut profile.quirks);
    for switch in &transcript.switches {
        match switch.as_str() {
            "result_urcs off" => dialect.result_urcs = false,
            "unsubscribe_urc UNSUNSUB" => dialect.unsubscribe_urc = UnsubscribeUrc::UnsUnsub,
            "publish_extended_urc PUB" => dialect.publish_extended_urc = PublishExtendedUrc::Pub,
            "hex_length digits" => dialect.hex_length = HexLength::Digits,
            "publish_hex_length payload" => dialect.publish_hex_length = HexLength::Payload,
            "pdp_context" => dialect.pdp_context = true,
            "no tls_commands" => dialect.tls_commands = false,
            "plain_errors" => quirks.plain_errors = true,
            "strict_message_ids" => dialect.strict_message_ids = true,
            "cache_slots 2" => dialect.cache_slots = 2,
            "cache_overflow drop oldest" => dialect.cache_overflow = CacheOverflow::DropOldest,
            "keeps_configuration" => dialect.keeps_configuration = true,
            "disconnect_frees" => dialect.disconnect_frees = true,
            "reconnects" => quirks.reconnects = true,
            "two cells" => profile.start.cells.push(Cell {
                area: 2,
                id: 0xabcd,
                pci: 77,
                earfcn: 1825,
                band: 3,
                rsrp_dbm: -100,
                rsrq_db: -12,
                snr_db: 5,
            }),
            "sim_urc" => quirks.sim_urc = true,
            "keeps_sessions" => quirks.keeps_sessions = true,
            "refused_access_points bad" => {
                profile.start.refused_access_points = vec!["bad".to_owned()];
            }
            "prompt_end control characters" => {
                profile.limits.prompt_end = DataEnd::ControlCharacters;
            }
            "result_order one burst" => quirks.result_order = ResultOrder::OneBurst,
            "result_order URC first" => quirks.result_order = ResultOrder::UrcFirst,
            "sign_method hmacsha256" => quirks.sign_method = SignMethod::HmacSha256,
            unknown => panic!("{}: no such switch: {unknown}", transcript.name),
        }
    }
    profile.dialect = Arc::new(dialect);
    profile
}

/// What the module says must be what the transcript says, in the same order and to the byte.
fn replay(transcript: &Transcript, instant: bool, pieces: usize, seed: u64) {
    let mut profile = match &transcript.profile {
        Some(name) => other(name, transcript),
        None => switched(Profile::nt35e(), transcript),
    };
    if instant {
        profile.latency = Latency::INSTANT;
    }
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
    let end = bench.now() + SILENCE;
    while bench.pass_until(end) {}
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
            replay(&transcript, true, pieces, 0);
        }
    }
}

#[test]
fn a_module_with_its_own_timing_says_the_same() {
    for transcript in all() {
        for seed in 0..20 {
            replay(&transcript, false, usize::MAX, seed);
        }
    }
}

/// Every command line that a host sends in a transcript of these folders.
fn typed(folders: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for transcript in folders.iter().copied().flat_map(Transcript::all) {
        for (_, step) in transcript.steps {
            if let Step::Host(bytes) = step {
                lines.push(String::from_utf8_lossy(&bytes).to_uppercase());
            }
        }
    }
    lines
}

#[track_caller]
fn assert_typed(lines: &[String], beginning: &str) {
    let beginning = beginning.to_uppercase();
    let found = lines.iter().any(|line| line.starts_with(&beginning));
    assert!(found, "no transcript has {beginning}");
}

#[test]
fn every_command_of_the_dialect_has_a_transcript() {
    let lines = typed(DIALECTS);
    for spec in dialect::ALL.iter().flat_map(|dialect| dialect.specs()) {
        let name = spec.name;
        if spec.test != Test::None {
            assert_typed(&lines, &format!("AT{name}=?"));
        }
        if spec.read {
            assert_typed(&lines, &format!("AT{name}?"));
        }
        let set = format!("AT{name}=");
        let test = format!("{set}?");
        let mut given = lines.iter();
        let given = given.any(|line| line.starts_with(&set) && !line.starts_with(&test));
        assert!(given || !spec.set, "no transcript has {set}");
    }
}

#[test]
fn every_setting_has_a_transcript() {
    let lines = typed(&["lmqtt"]);
    let dialect = Lmqtt {
        pdp_context: true,
        ..Lmqtt::DEFAULT
    };
    for (name, queried) in [("+LMQTTCFG", "0\r"), ("+LSSLCFG", "2\r")] {
        let test = format!("{name}=?");
        let (command, _) = Command::split_first(test.as_bytes(), |_| true);
        for line in dialect.describe(&command, &dialect::lmqtt::NT26.limits) {
            let key = line.split('"').nth(1).expect("a key stands in the line");
            assert_typed(&lines, &format!("AT{name}=\"{key}\",{queried}"));
            let id = &queried[..1];
            assert_typed(&lines, &format!("AT{name}=\"{key}\",{id},"));
        }
    }
    let lines = typed(&["qmt"]);
    for key in Qmt::DEFAULT.spec(b"+QMTCFG").unwrap().keys {
        let given = if key.values.is_empty() { "" } else { ",0" };
        assert_typed(&lines, &format!("AT+QMTCFG=\"{}\"{given}\r", key.name));
        assert_typed(&lines, &format!("AT+QMTCFG=\"{}\"{given},", key.name));
    }
}
