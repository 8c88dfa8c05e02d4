use proptest::prelude::*;

use super::*;

/// An exchange of the host's, and what the module says to it.
fn steps() -> Vec<(Wanted, &'static [u8])> {
    vec![
        (attention().into(), b"AT\r\r\nOK\r\n"),
        (show_length(), b"\r\nOK\r\n"),
        (open(), b"\r\n+LMQTTOPEN: 0,0\r\n\r\nOK\r\n"),
        (publish(5, b"abcd"), b"\r\nOK\r\n\r\n+LMQTTPUB: 0,5,0\r\n"),
        (
            publish(6, b"\"\r\n\x1a"),
            b"\r\n> \r\nOK\r\n\r\n+LMQTTPUB: 0,6,0\r\n",
        ),
        (
            signal().into(),
            b"AT+CSQ\r\n\r\n+CSQ: 29,0\r\n\r\n\r\nOK\r\n",
        ),
        (
            raw("AT+CREG?").into(),
            b"\r\n+CREG: 0,1\r\n\r\n+CME ERROR: 3\r\n\r\nERROR\r\n",
        ),
        (close(), b"\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n"),
    ]
}

/// What may come before an answer, whatever it is.
fn interlude() -> impl Strategy<Value = &'static [u8]> {
    prop::sample::select(vec![
        &b""[..],
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",8,\r\nOK\r\n> \r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t,\"\",3\",4,abcd\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",3,abcd\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",5,abcd\r\n",
        b"\r\n+LMQTTURC: STATS,0,13\r\n",
        b"\x00\xff> \r\n",
        b">\r\n\r\r\n",
        b"\r\n+LMQTTPUB: 0,4,0\r\n",
        b"\r\nSMS DONE\r\n",
    ])
}

/// All that happens and all that is written while the module's bytes come in pieces of these
/// lengths.
fn run(interludes: &[&[u8]], mut lengths: impl Iterator<Item = usize>) -> Vec<String> {
    let mut host = Host::new();
    let mut seen = Vec::new();
    for ((command, answer), interlude) in steps().into_iter().zip(interludes) {
        seen.push(host.ask(command));
        let (mut written, bytes) = (String::new(), [*interlude, answer].concat());
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, left) = rest.split_at(lengths.next().unwrap().min(rest.len()));
            seen.extend(host.hear(piece).iter().map(|event| format!("{event:?}")));
            written += &host.written();
            rest = left;
        }
        seen.push(written);
        let (written, events) = host.wait(0.1);
        seen.push(format!("{written} {events:?}"));
    }
    seen.push(format!("{:?}", host.session.counters()));
    seen
}

proptest! {
    #[test]
    fn any_split_of_a_session_gives_the_same_events(
        interludes in prop::collection::vec(interlude(), 8),
        lengths in prop::collection::vec(1_usize..12, 1..32),
    ) {
        let whole = run(&interludes, std::iter::repeat(usize::MAX));
        let bytewise = run(&interludes, std::iter::repeat(1));
        let pieces = run(&interludes, lengths.iter().copied().cycle());
        prop_assert_eq!(&bytewise, &whole);
        prop_assert_eq!(&pieces, &whole);
    }

    #[test]
    fn any_bytes_at_any_time_do_no_harm(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..40),
                interlude().prop_map(<[u8]>::to_vec),
                Just(b"\r\nOK\r\n".to_vec()),
                Just(b"\r\n+CMEE: 1\r\n".to_vec()),
                Just(b"\r\n> ".to_vec()),
                Just(b"^boot.rom\r\n".to_vec()),
                Just(b"\r\nRDY\r\n".to_vec()),
                Just(b"\r\nNORMAL POWER DOWN\r\n".to_vec()),
            ],
            0..40,
        ),
        pauses in prop::collection::vec(0.0_f64..40.0, 1..8),
    ) {
        let mut host = Host::new();
        let mut commands = steps().into_iter().map(|(command, _)| command).cycle();
        let (mut asked, mut ended) = (0, 0);
        let count = |events: &[Event]| {
            events.iter().filter(|event| matches!(event, Event::Completed(_))).count()
        };
        for (piece, pause) in pieces.iter().zip(pauses.iter().cycle()) {
            if host.session.is_ready() {
                host.ask(commands.next().unwrap());
                asked += 1;
            }
            ended += count(&host.hear(piece));
            ended += count(&host.wait(*pause).1);
        }
        // Every exchange ends, once, whatever the module says.
        ended += count(&host.wait(400.0).1);
        prop_assert_eq!(ended, asked);
    }
}
