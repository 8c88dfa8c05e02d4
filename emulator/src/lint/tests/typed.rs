//! What is judged by the bytes themselves, however they come.

use std::time::Duration;

use super::super::Attention;
use super::super::typing::Typing;
use super::*;

/// Each finding: its rule, its particulars, its bytes.
type Found = (Rule, String, String);

fn told(dialogue: &mut Dialogue) -> Vec<Found> {
    let found = dialogue.findings().into_iter();
    found
        .map(|found| {
            (
                found.rule,
                found.detail,
                String::from_utf8_lossy(&found.bytes).into(),
            )
        })
        .collect()
}

/// A module that thinks, on a line that takes no time, so that bytes come as they are cut.
fn thinking() -> Dialogue {
    let mut profile = Profile::nt35e();
    profile.latency.paced = false;
    Dialogue::with(profile, 0)
}

fn found(steps: &[Step]) -> Vec<Found> {
    let mut dialogue = Dialogue::new(0);
    for step in steps {
        dialogue.step(*step);
    }
    told(&mut dialogue)
}

#[test]
fn a_payload_that_is_not_as_long_as_announced_is_found() {
    let mismatch = |detail: &str, line: &str| {
        let rule = Rule::PayloadLengthMismatch;
        [(rule, detail.to_owned(), line.to_owned())]
    };
    for (line, detail) in [
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",6,\"21.5\"",
            "the payload has 4 bytes, 6 were announced",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",5,\"21.5",
            "msg begins with a quote and does not end with one",
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",4,\"21.5",
            "msg begins with a quote and does not end with one",
        ),
    ] {
        let mut dialogue = Dialogue::new(0);
        for step in [OPEN, CONNECT, ACCEPT] {
            dialogue.step(step);
        }
        dialogue.send(line.as_bytes());
        dialogue.send(b"\r\n");
        dialogue.step(Until(b"ERROR"));
        assert_eq!(told(&mut dialogue), mismatch(detail, line));
    }
}

/// V.250 5.2.2: editing is done as the characters come, before anything of the line is looked at.
#[test]
fn a_length_that_fits_because_the_line_was_edited_is_told() {
    let connected = [OPEN, CONNECT, ACCEPT];
    let odd = Rule::ControlCharacterInCommand;
    let line = |line: &str| format!("AT+LMQTTPUB=0,0,0,0,\"t\",{line}");
    let rows: [(Step, Vec<Found>); 5] = [
        (
            Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",4,\"21.55\x08\"\r\n"),
            vec![(
                odd,
                "1 character of a value taken back".into(),
                line("4,\"21.5\""),
            )],
        ),
        (
            Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",4,\"21.567\x7f\x7f\"\r\n"),
            vec![(
                odd,
                "2 characters of a value taken back".into(),
                line("4,\"21.5\""),
            )],
        ),
        (
            Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",6,\"21.55\x08\"\r\n"),
            vec![
                (
                    odd,
                    "1 character of a value taken back".into(),
                    line("6,\"21.5\""),
                ),
                (
                    Rule::PayloadLengthMismatch,
                    "the payload has 4 bytes, 6 were announced".into(),
                    line("6,\"21.5\""),
                ),
            ],
        ),
        (
            Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",6,\"21.5\0\x1a\"\r\n"),
            vec![(odd, "NUL, Ctrl-Z".into(), line("6,\"21.5\0\x1a\""))],
        ),
        (
            Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",5,\"21.5\n\"\r\n"),
            vec![(odd, "LF".into(), line("5,\"21.5\n\""))],
        ),
    ];
    for (publish, expected) in rows {
        let steps = [&connected[..], &[publish]].concat();
        assert_eq!(found(&steps), expected);
    }
}

#[test]
fn the_characters_of_the_settings_edit_and_end_a_line() {
    let odd = Rule::ControlCharacterInCommand;
    let steps = [
        Type(b"ATS5=42\r\n"),
        Type(b"AT+CX*SQ\r\n"),
        Type(b"ATS3=33\r\n"),
        Type(b"AT+CSQ!AT!"),
    ];
    let edited = (
        odd,
        "1 character taken back".to_owned(),
        "AT+CSQ".to_owned(),
    );
    let early = (
        Rule::CommandBeforeFinalResult,
        String::new(),
        "AT".to_owned(),
    );
    assert_eq!(found(&steps), [edited, early]);
}

#[test]
fn a_command_taken_for_data_or_a_value_is_noted() {
    let connected = [OPEN, CONNECT, ACCEPT];
    let rule = Rule::CommandInData;
    let line = "AT+LMQTTPUB=0,5,1,0,\"t\",11,\"21.5 AT+CSQ\"";
    for (steps, expected) in [
        (
            &[
                Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",20\r"),
                Type(b"21.5\r\nAT+CGATT?\r\n..."),
            ][..],
            (rule, "in data".to_owned(), "AT+CGATT?".to_owned()),
        ),
        (
            &[Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",11,\"21.5 AT+CSQ\"\r\n")],
            (rule, "in a value".to_owned(), line.to_owned()),
        ),
        (
            &[Type(b"AT+LHTTPURL=20\r"), Type(b"http://h\r\nAT+CSQ\r\n..")],
            (rule, "in data".to_owned(), "AT+CSQ".to_owned()),
        ),
    ] {
        let steps = [&connected[..], steps].concat();
        assert_eq!(found(&steps), [expected]);
    }
    assert_eq!(rule.severity(), Severity::Note);
}

#[test]
fn a_finding_quotes_the_whole_command_however_it_comes() {
    for (bytes, rule, quoted) in [
        (
            &b"AT+LMQTTCFG?\r\nAT+CGATT?\r\n"[..],
            Rule::CommandBeforeFinalResult,
            "AT+CGATT?",
        ),
        (
            b"AT+CFUN=0,1\r\nAT+CGATT?\r\n",
            Rule::CommandBeforeFinalResult,
            "AT+CGATT?",
        ),
        (
            b"AT+LMQTTCONN=0,\"id\",\"u\",\"hunter2\"\rAT\r",
            Rule::CommandBeforeFinalResult,
            "AT",
        ),
        (
            b"AT\rAT+LMQTTCONN=0,\"id\",\"u\",\"hunter2\"\r",
            Rule::CommandBeforeFinalResult,
            "AT+LMQTTCONN=0,\"id\",\"u\",\"***\"",
        ),
        (
            b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r\nabcd",
            Rule::PromptNotAwaited,
            "abcd",
        ),
        // The rest of it does not come.
        (
            b"AT+LMQTTCFG?\rAT+CG",
            Rule::CommandBeforeFinalResult,
            "AT+CG",
        ),
    ] {
        for cut in [1, 3, bytes.len()] {
            let mut dialogue = thinking();
            for step in [OPEN, CONNECT, ACCEPT] {
                dialogue.step(step);
            }
            for piece in bytes.chunks(cut) {
                dialogue.send(piece);
            }
            dialogue.step(Wait(5000));
            let found = told(&mut dialogue);
            let found = found.iter().find(|(found, ..)| *found == rule);
            let (_, _, told) = found.unwrap_or_else(|| panic!("no {rule:?} in pieces of {cut}"));
            assert_eq!(told, quoted, "in pieces of {cut}");
        }
    }
    // While the module starts.
    let steps = [Send(b"AT+CFUN=0,1\r\n"), Until(b"OK"), Wait(100)];
    let mut dialogue = thinking();
    for step in steps {
        dialogue.step(step);
    }
    for byte in b"AT+CSQ\r" {
        dialogue.send(&[*byte]);
    }
    let early = (Rule::BootNotAwaited, String::new(), "AT+CSQ".to_owned());
    assert_eq!(told(&mut dialogue), [early]);
}

#[test]
fn data_that_a_mark_ends_is_followed_to_its_mark() {
    let dialect = Profile::nt35e().dialect;
    let bytes = b"ab\r\nAT+CSQ\r+++AT+CGATT?\r";
    for length in [None, Some(100)] {
        for cut in 1..=bytes.len() {
            let (mut typing, mut notices) = (Typing::new(64), Vec::new());
            let now = Instant::now();
            typing.prompted(length, DataEnd::Mark(b"+++"), &*dialect, now, &mut notices);
            for piece in bytes.chunks(cut) {
                let ended = notices.len();
                let attention = Attention::Listening;
                typing.receive(piece, attention, &*dialect, now, &mut notices);
                assert!(ended == 0 || cut < bytes.len());
            }
            typing.finished(&mut notices);
            typing.receive(
                b"hello\r",
                Attention::Listening,
                &*dialect,
                now,
                &mut notices,
            );
            let last = notices.pop().map(|(rule, _, bytes)| (rule, bytes));
            assert_eq!(
                last,
                Some((Rule::GarbageBetweenCommands, b"hello".to_vec()))
            );
            // Whether the module was still busy with the data depends on how the bytes came.
            let command = (
                Rule::CommandBeforeFinalResult,
                String::new(),
                b"AT+CGATT?".to_vec(),
            );
            assert!(
                notices.iter().all(|notice| *notice == command),
                "{notices:?}"
            );
        }
    }
}

#[test]
fn the_line_feed_of_a_command_line_that_comes_late_is_no_data() {
    let mut dialogue = Dialogue::with(Profile::nt35e().instant(), 0);
    for step in [OPEN, CONNECT, ACCEPT] {
        dialogue.step(step);
    }
    for byte in b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r\nabcdAT+CSQ\r\n" {
        dialogue.send(&[*byte]);
        dialogue.step(Wait(1));
    }
    assert_eq!(told(&mut dialogue), []);
}

proptest! {
    /// The same bytes at the same time are the same findings, however they are cut.
    #[test]
    fn any_split_gives_the_same_findings(
        rounds in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        &b"AT+CSQ\r\n"[..],
                        b"AT\r",
                        b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r\n",
                        b"AT+LMQTTPUB=0,6,1,0,\"t\",1,\"a\"\r\n",
                        b"AT+LMQTTPUB=0,6,1,0,\"t\",3,\"a\x08b",
                        b"abcd\x1a",
                        b"\r\n",
                        b"A/",
                    ]).prop_map(<[u8]>::to_vec),
                    prop::collection::vec(
                        prop::sample::select(b"AT+\r\n\x08\x7f\0\x1a\" x".to_vec()), 0..12),
                ],
                1..5,
            ).prop_map(|pieces| pieces.concat()),
            1..6,
        ),
        cuts in prop::collection::vec(1usize..9, 1..16),
    ) {
        let (mut whole, mut cut) = (thinking(), thinking());
        for step in [OPEN, CONNECT, ACCEPT] {
            whole.step(step);
            cut.step(step);
        }
        let mut cuts = cuts.iter().cycle();
        for round in rounds {
            whole.send(&round);
            let mut rest = &round[..];
            while !rest.is_empty() {
                let (piece, left) = rest.split_at(cuts.next().map_or(1, |cut| *cut).min(rest.len()));
                cut.send(piece);
                rest = left;
            }
            for dialogue in [&mut whole, &mut cut] {
                dialogue.step(Wait(Duration::from_secs(40).as_millis() as u64));
            }
        }
        prop_assert_eq!(told(&mut whole), told(&mut cut));
    }
}

#[test]
fn what_is_left_of_a_payload_is_no_command_that_comes_too_soon() {
    let rest = (
        Rule::GarbageBetweenCommands,
        "it follows a payload, of which fewer bytes were announced".to_owned(),
        "ef".to_owned(),
    );
    let before = |command: &[Step]| {
        let mut dialogue = thinking();
        for step in [OPEN, CONNECT, ACCEPT, PROMPT_4].iter().chain(command) {
            dialogue.step(*step);
        }
        told(&mut dialogue)
    };
    let patient = [Send(b"abcdef"), Until(b"OK"), Type(b"AT+CMEE=1\r\n")];
    assert_eq!(before(&patient), std::slice::from_ref(&rest));
    // The host has waited for no final result code here.
    let hasty = [Send(b"abcdefAT+CMEE=1\r\n"), Wait(5000)];
    let too_soon = (
        Rule::CommandBeforeFinalResult,
        String::new(),
        "AT+CMEE=1".to_owned(),
    );
    assert_eq!(before(&hasty), [too_soon, rest]);
}
