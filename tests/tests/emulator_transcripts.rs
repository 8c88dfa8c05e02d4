//! Every transcript, replayed against the emulated module in virtual time.

use std::sync::Arc;
use std::time::Duration;

use atmq_emulator::modem::Cell;
use atmq_emulator::{Profile, ResultOrder};
use atmq_protocol::at::command::Command;
use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::{
    CacheOverflow, Dialect, HexLength, Lmqtt, PublishExtendedUrc, UnsubscribeUrc, Value,
};
use atmq_protocol::mqtt::SignMethod;
use atmq_tests::bench::Bench;
use atmq_tests::transcript::{Step, Transcript};

/// Longer than the module takes to say anything that a transcript expects.
const PATIENCE: Duration = Duration::from_secs(100);

/// Longer than the module needs to say more than a transcript expects at its end.
const SILENCE: Duration = Duration::from_secs(5);

/// The module answers the dialect's commands and those around it alike.
fn all() -> impl Iterator<Item = Transcript> {
    ["lmqtt", "cmqtt", "standard"]
        .into_iter()
        .flat_map(Transcript::all)
}

/// The module of a transcript.
fn module(transcript: &Transcript) -> Profile {
    let profile = Profile::by_name(&transcript.profile).expect("there is such a profile");
    switched(profile, transcript)
}

/// The module with the switches of a transcript.
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
            "strict_timeouts" => {
                let strict = ("strict_timeouts", Value::Flag(true));
                profile.dialect = profile.dialect.with(&[strict]);
            }
            unknown => panic!("{}: no such switch: {unknown}", transcript.name),
        }
    }
    if profile.dialect.name() == dialect.name() {
        profile.dialect = Arc::new(dialect);
    }
    profile
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
            replay(&transcript, module(&transcript).instant(), pieces, 0);
        }
    }
}

#[test]
fn a_module_with_its_own_timing_says_the_same() {
    for transcript in all() {
        for seed in 0..20 {
            replay(&transcript, module(&transcript), usize::MAX, seed);
        }
    }
}

/// Every command line that a host sends in a transcript.
fn typed() -> Vec<String> {
    let mut lines = Vec::new();
    for transcript in Transcript::all("lmqtt") {
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
    let lines = typed();
    for name in Lmqtt::DEFAULT.commands() {
        assert_typed(&lines, &format!("AT{name}=?"));
        let set = format!("AT{name}=");
        let found = lines
            .iter()
            .any(|line| line.starts_with(&set) && !line.starts_with(&format!("{set}?")));
        assert!(found, "no transcript has {set}");
    }
    for name in ["OPEN", "CONN", "READ"] {
        assert_typed(&lines, &format!("AT+LMQTT{name}?"));
    }
}

#[test]
fn every_setting_has_a_transcript() {
    let lines = typed();
    let dialect = Lmqtt {
        pdp_context: true,
        ..Lmqtt::DEFAULT
    };
    for (name, queried) in [("+LMQTTCFG", "0\r"), ("+LSSLCFG", "2\r")] {
        let test = format!("{name}=?");
        let (command, _) = Command::split_first(test.as_bytes(), |_| true);
        for line in dialect.describe(&command, &atmq_protocol::dialect::lmqtt::NT26.limits) {
            let key = line.split('"').nth(1).expect("a key stands in the line");
            assert_typed(&lines, &format!("AT{name}=\"{key}\",{queried}"));
            let id = &queried[..1];
            assert_typed(&lines, &format!("AT{name}=\"{key}\",{id},"));
        }
    }
}
