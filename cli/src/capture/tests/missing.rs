//! What did not come, and what is no failure.

use super::*;

/// The boot banner of a module.
const BOOT: &[u8] = b"\r\n^boot.rom'v'!\r\n";

const OPEN: &[u8] = b"AT+LMQTTOPEN=0,\"h\",1883\r";
const CLOSE: &[u8] = b"AT+LMQTTCLOSE=0\r";
const OK: &[u8] = b"\r\nOK\r\n";
const REFUSED: &[u8] = b"\r\n+CME ERROR: 3\r\n";

/// A conversation that ends 5 s after its last bytes.
fn timed(pieces: &[(u64, Direction, &[u8])]) -> Vec<Entry> {
    let mut dialogue = Dialogue::new();
    let mut end = Duration::ZERO;
    for (at, direction, bytes) in pieces {
        end = Duration::from_millis(*at);
        dialogue.take(end, Event::Bytes(*direction, bytes.to_vec()));
    }
    dialogue.take(end + Duration::from_secs(5), Event::Complete);
    dialogue.end();
    std::iter::from_fn(|| dialogue.next()).collect()
}

/// When it was clear, for which command, and how long it was waited.
fn missing(entries: &[Entry]) -> Vec<(u128, u64, u128, &str)> {
    let missing = entries.iter().filter(|entry| entry.kind == Kind::Missing);
    missing
        .map(|entry| {
            assert!(entry.failed && entry.bytes.is_empty());
            (
                entry.at.as_millis(),
                entry.exchange.unwrap(),
                entry.waited.unwrap().as_millis(),
                entry.meaning.as_deref().unwrap(),
            )
        })
        .collect()
}

#[test]
fn a_command_that_is_not_answered_is_told_with_its_time() {
    let said = timed(&[
        (1_000, HOST, b"AT+CSQ\r"),
        (1_001, MODULE, b"AT+CSQ\r\r\n"),
        (31_200, HOST, b"AT+CREG?\r"),
        (31_300, MODULE, b"\r\n+CREG: 0,1\r\n"),
        (33_200, HOST, b"AT\r"),
    ]);
    assert_eq!(
        missing(&said),
        [
            (
                31_200,
                1,
                30_200,
                "no answer to AT+CSQ for 30.20 s, until the next command"
            ),
            (
                33_200,
                2,
                2_000,
                "no final result code of AT+CREG for 2.00 s, until the next command"
            ),
            (
                38_200,
                3,
                5_000,
                "no answer to AT for 5.00 s, until the end"
            ),
        ]
    );
}

#[test]
fn a_report_that_does_not_come_within_its_limit_is_told_when_that_is_over() {
    let said = timed(&[
        (1_000, HOST, OPEN),
        (1_100, MODULE, OK),
        (2_000, HOST, CLOSE),
        (2_100, MODULE, OK),
        (200_000, MODULE, b"\r\n+CSQ: 1,1\r\n"),
        (210_000, MODULE, b"\r\n+LMQTTOPEN: 0,0\r\n"),
    ]);
    assert_eq!(
        missing(&said),
        [
            (7_000, 2, 5_000, "no +LMQTTCLOSE report within 5 s"),
            (161_000, 1, 160_000, "no +LMQTTOPEN report within 160 s"),
        ]
    );
    assert!(said.is_sorted_by_key(|entry| entry.at));
    // Late is better than never.
    let last = said.last().unwrap();
    assert_eq!((last.kind, last.exchange), (Kind::Report, Some(1)));
}

#[test]
fn a_report_that_has_not_come_when_the_capture_ends_is_told() {
    let said = timed(&[(0, HOST, OPEN), (7_300, MODULE, OK)]);
    let words = "no +LMQTTOPEN report for 12.30 s, until the end";
    assert_eq!(missing(&said), [(12_300, 1, 12_300, words)]);
}

#[test]
fn what_is_owed_when_the_module_starts_anew_does_not_come() {
    let said = timed(&[
        (0, HOST, OPEN),
        (100, MODULE, OK),
        (200, HOST, b"AT+CSQ\r"),
        (1_200, MODULE, BOOT),
    ]);
    let words: Vec<_> = missing(&said).iter().map(|told| told.3).collect();
    assert_eq!(
        words,
        [
            "no answer to AT+CSQ for 1.00 s, until the module started anew",
            "no +LMQTTOPEN report for 1.20 s, until the module started anew",
        ]
    );
}

#[test]
fn an_unanswered_command_is_not_told_twice() {
    let said = timed(&[
        (0, HOST, OPEN),
        (1_000, HOST, b"AT\r"),
        (1_100, MODULE, OK),
        (300_000, MODULE, b"\r\n+CSQ: 1,1\r\n"),
    ]);
    let words = "no answer to AT+LMQTTOPEN for 1.00 s, until the next command";
    assert_eq!(missing(&said), [(1_000, 1, 1_000, words)]);
}

#[test]
fn what_does_not_come_because_nobody_wants_it_is_not_missing() {
    for pieces in [
        // Refused: there is nothing to report.
        &[(0, HOST, OPEN), (100, MODULE, REFUSED)][..],
        // Final result codes are switched off, or numbers.
        &[(0, HOST, b"ATQ1\r"), (100, HOST, b"AT+CSQ\r")],
        &[(0, HOST, b"ATE0V0\r"), (100, HOST, b"AT+CSQ\r")],
        // Result URCs are switched off.
        &[
            (0, HOST, b"AT+LMQTTCFG=\"urc\",0,0\r"),
            (100, MODULE, OK),
            (200, HOST, b"AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r"),
            (300, MODULE, OK),
        ],
    ] {
        assert_eq!(missing(&timed(pieces)), [], "{pieces:?}");
    }
}

#[test]
fn of_many_reports_that_do_not_come_none_is_forgotten_in_silence() {
    let publish = |id: u64| format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"x\"\r");
    let lines: Vec<_> = (1..=40).map(publish).collect();
    let pieces: Vec<_> = (0..)
        .zip(&lines)
        .flat_map(|(at, line)| [(at, HOST, line.as_bytes()), (at, MODULE, OK)])
        .collect();
    let said = timed(&pieces);
    let told = missing(&said);
    let numbers: Vec<_> = told.iter().map(|told| told.1).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert!(
        told[0].3.ends_with(", while other commands came"),
        "{told:?}"
    );
}

#[test]
fn a_close_that_is_refused_where_nothing_is_open_is_no_failure() {
    let opened: &[u8] = b"\r\n+LMQTTOPEN: 0,0\r\n";
    let failed = |before: &[(Direction, &[u8])], answer: &[u8]| {
        let close = [(HOST, CLOSE), (MODULE, answer)];
        let said = entries(&[before, &close].concat());
        let last = said.last().unwrap();
        assert!(matches!(last.kind, Kind::Result | Kind::Report));
        assert_eq!(
            !last.failed,
            last.meaning.as_deref() == Some("refused: nothing was open")
        );
        last.failed
    };
    let open: &[(Direction, &[u8])] = &[(HOST, OPEN), (MODULE, OK), (MODULE, opened)];
    let reported = b"\r\nOK\r\n\r\n+LMQTTCLOSE: 0,-1\r\n";
    for answer in [REFUSED, b"\r\nERROR\r\n", reported] {
        assert!(!failed(&[], answer));
        // Another one is open.
        let other: &[u8] = b"\r\n+LMQTTOPEN: 1,0\r\n";
        assert!(!failed(&[(MODULE, other)], answer));
        assert!(failed(open, answer));
        // It may be open soon.
        assert!(failed(&open[..2], answer));
        for lost in [
            &b"\r\n+LMQTTURC: STATS,0,1\r\n"[..],
            b"\r\n+LMQTTCLOSE: 0,0\r\n",
            BOOT,
        ] {
            assert!(!failed(&[open, &[(MODULE, lost)]].concat(), answer));
        }
        let failed_to_open: &[u8] = b"\r\n+LMQTTOPEN: 0,-1,4\r\n";
        let before = [&open[..2], &[(MODULE, failed_to_open)]].concat();
        assert!(!failed(&before, answer));
    }
}

#[test]
fn data_that_does_not_wait_for_its_prompt_is_the_data_of_its_command() {
    const PUBLISH: &[u8] = b"AT+LMQTTPUB=0,2,1,0,\"t\",5\r\n";
    const PROMPT: &[u8] = b"\r\n> ";
    const NEXT: &[u8] = b"AT+CSQ\r\n";
    let line = (Kind::Command, "AT+LMQTTPUB=0,2,1,0,\"t\",5");
    let (prompt, ok) = ((Kind::Prompt, ">"), (Kind::Result, "OK"));
    let next = (Kind::Command, "AT+CSQ");
    let together = [PUBLISH, b"hello"].concat();
    let data = (Kind::Data, "hello");
    for (said, told, words) in [
        (
            vec![
                (HOST, PUBLISH),
                (HOST, b"hello"),
                (MODULE, PROMPT),
                (MODULE, OK),
                (HOST, NEXT),
            ],
            vec![line, prompt, data, ok, next],
            "5 bytes of data, sent before the prompt",
        ),
        (
            vec![
                (HOST, &together[..]),
                (MODULE, PROMPT),
                (MODULE, OK),
                (HOST, NEXT),
            ],
            vec![line, prompt, data, ok, next],
            "5 bytes of data, sent before the prompt",
        ),
        (
            vec![
                (HOST, PUBLISH),
                (MODULE, PROMPT),
                (HOST, b"hello"),
                (MODULE, OK),
                (HOST, NEXT),
            ],
            vec![line, prompt, data, ok, next],
            "5 bytes of data",
        ),
        // The module is silent, and the host goes on.
        (
            vec![(HOST, PUBLISH), (HOST, NEXT), (MODULE, OK)],
            vec![line, (Kind::Missing, ""), next, ok],
            "",
        ),
        (
            vec![
                (HOST, PUBLISH),
                (HOST, b"hello"),
                (MODULE, REFUSED),
                (HOST, b"\r"),
                (HOST, NEXT),
            ],
            vec![
                line,
                (Kind::Result, "+CME ERROR: 3"),
                (Kind::Unknown, "hello"),
                next,
            ],
            "",
        ),
    ] {
        let times = said.iter().zip(1000..);
        let pieces: Vec<_> = times
            .map(|((from, bytes), at)| (at, *from, *bytes))
            .collect();
        let entries = timed(&pieces);
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| (entry.kind, str::from_utf8(&entry.bytes).unwrap()))
            .collect();
        assert_eq!(&shown[..told.len()], told, "{pieces:?}");
        let data = entries.iter().find(|entry| entry.kind == Kind::Data);
        let meaning = data.and_then(|data| data.meaning.as_deref());
        assert_eq!(meaning.unwrap_or_default(), words);
    }
}

#[test]
fn what_is_wrong_with_a_command_is_told_in_place_of_what_it_does() {
    let said = timed(&[
        (0, HOST, b"AT+LMQTTOPEN=9,\"h\",1883\r"),
        (100, MODULE, REFUSED),
    ]);
    let meaning = said[0].meaning.as_deref();
    assert_eq!(
        meaning,
        Some("Not as it must be: tcpconnectID: not within 0-4.")
    );
}
