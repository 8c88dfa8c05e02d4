//! A module that is slow, forgetful and noisy, but answers in order, as modules do.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// What a module does about one command.
#[derive(Debug, Clone)]
struct Mood {
    /// Milliseconds until it answers, and from one part of the answer to the next.
    delay: u64,
    gap: u64,
    /// The answer gets lost on the way, or its report.
    lost: bool,
    unreported: bool,
    /// The report comes before `OK`.
    report_first: bool,
    /// What else it says meanwhile.
    noise: &'static [u8],
}

fn mood() -> impl Strategy<Value = Mood> {
    let noise = prop::sample::select(vec![
        &b""[..],
        b"",
        b"\x00\xff\x7fgarbage\r\n",
        b"\r\n> \r\n",
        b">",
        b"\r\n+LMQTTURC: STATS,0,13\r\n",
        b"\r\n+LMQTTPUB: 0,65000,0\r\n",
        b"\r\n+LMQTTPUB: 3,1,0\r\n\r\n+LMQTTPUB: 0,99999999999,0\r\n",
        b"\r\n+TOK65000: 65000\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",12,\r\nOK\r\n+TOK1: \r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",-1,x\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",99999999999999999999,x\r\n",
        b"\r\n+LMQTTURC: RECV,0,1,\"t\",3,too long for this\r\n",
    ]);
    let delay = prop_oneof![4 => 0..200_u64, 2 => 0..9000_u64, 1 => 0..60_000_u64];
    (
        delay,
        prop_oneof![3 => Just(0_u64), 1 => 0..6000_u64],
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.1),
        any::<bool>(),
        noise,
    )
        .prop_map(|(delay, gap, lost, unreported, report_first, noise)| Mood {
            delay,
            gap,
            lost,
            unreported,
            report_first,
            noise,
        })
}

/// Answers commands in order: `AT+TOK<n>` with `+TOK<n>: <n>`, publishes with their msgID.
struct Module {
    moods: Vec<Mood>,
    commands: usize,
    heard: Vec<u8>,
    /// What it says, and when.
    says: VecDeque<(Instant, Vec<u8>)>,
    /// It does nothing else before.
    busy: Instant,
    /// msgID and length of the data that it waits for, and until when.
    data: Option<(u16, usize, Instant)>,
    /// Tokens and msgIDs whose answers it has begun to say.
    answered: Vec<u16>,
    published: Vec<(u16, Vec<u8>)>,
}

impl Module {
    fn hear(&mut self, bytes: &[u8], now: Instant) {
        self.heard.extend_from_slice(bytes);
        loop {
            self.give_up_data(now);
            if let Some((id, length, _)) = self.data {
                if self.heard.len() < length {
                    if let Some((.., until)) = &mut self.data {
                        *until = (*until).max(now + Duration::from_secs(30));
                    }
                    return;
                }
                let data = self.heard.drain(..length).collect();
                self.data = None;
                self.published.push((id, data));
                self.answer(id, &format!("+LMQTTPUB: 0,{id},0"), true, now);
                continue;
            }
            let Some(end) = self.heard.iter().position(|byte| *byte == b'\r') else {
                return;
            };
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            self.command(line.trim_ascii_end(), now);
        }
    }

    fn give_up_data(&mut self, now: Instant) {
        if let Some((.., until)) = self.data
            && until <= now
        {
            self.data = None;
            self.heard.clear();
            self.says.push_back((until, b"\r\nERROR\r\n".to_vec()));
        }
    }

    fn command(&mut self, line: &str, now: Instant) {
        let number = |text: &str| text.parse::<u16>().unwrap();
        if line == "AT" {
            self.answer(0, "", false, now);
        } else if line == "AT+CMEE?" {
            self.answer(0, "+CMEE: 1", false, now);
        } else if let Some(token) = line.strip_prefix("AT+TOK") {
            let token = number(token);
            self.answer(token, &format!("+TOK{token}: {token}"), false, now);
        } else if let Some(rest) = line.strip_prefix("AT+LMQTTPUB=0,") {
            let fields: Vec<&str> = rest.split(',').collect();
            let id = number(fields[0]);
            match fields.get(5) {
                Some(_) => self.answer(id, &format!("+LMQTTPUB: 0,{id},0"), true, now),
                None => {
                    let mood = self.mood();
                    let at = self.busy.max(now) + Duration::from_millis(mood.delay);
                    self.busy = at;
                    if !mood.lost {
                        self.says.push_back((at, b"\r\n> ".to_vec()));
                    }
                    let until = at + Duration::from_secs(30);
                    self.data = Some((id, usize::from(number(fields[4])), until));
                }
            }
        } else {
            panic!("a command that nobody asked for: {line}");
        }
    }

    fn mood(&mut self) -> Mood {
        self.commands += 1;
        self.moods[self.commands % self.moods.len()].clone()
    }

    fn answer(&mut self, token: u16, line: &str, is_report: bool, now: Instant) {
        let mut mood = self.mood();
        if token == 0 {
            // A query takes no time of its own, but may have to wait.
            (mood.delay, mood.gap) = (0, 0);
        }
        let mut at = self.busy.max(now) + Duration::from_millis(mood.delay);
        self.says.push_back((at, mood.noise.to_vec()));
        let line = match line {
            "" => Vec::new(),
            line => format!("\r\n{line}\r\n").into_bytes(),
        };
        let ok = b"\r\nOK\r\n".to_vec();
        let mut parts = match is_report && !mood.report_first {
            true => [ok, line],
            false => [line, ok],
        };
        if is_report && mood.unreported {
            parts[usize::from(!mood.report_first)].clear();
        }
        if !mood.lost {
            self.answered.push(token);
            for part in parts {
                self.says.push_back((at, part));
                at += Duration::from_millis(mood.gap);
            }
        }
        self.busy = at;
    }

    /// What it says up to now, and when it says more.
    fn say(&mut self, now: Instant) -> (Vec<u8>, Option<Instant>) {
        self.give_up_data(now);
        let mut said = Vec::new();
        while self.says.front().is_some_and(|(at, _)| *at <= now) {
            said.append(&mut self.says.pop_front().expect("there is one").1);
        }
        let next = self.says.front().map(|(at, _)| *at);
        let until = self.data.map(|(.., until)| until);
        (said, [next, until].into_iter().flatten().min())
    }
}

/// The command with this number, and the data of it if it is a publish.
fn command(number: u16) -> (Wanted, Option<Vec<u8>>) {
    let data = format!("\"{number}\r\nAT+CFUN=0\r").into_bytes();
    match number % 3 {
        0 => (raw(&format!("AT+TOK{number}")).into(), None),
        1 => (publish(number, b"plain"), None),
        _ => (publish(number, &data), Some(data)),
    }
}

/// Runs one exchange to its end, with the module's bytes in pieces of `piece`.
fn exchange(host: &mut Host, module: &mut Module, number: u16, piece: usize) -> Event {
    let (command, _) = command(number);
    let limit = number.is_multiple_of(3).then_some(Duration::from_secs(5));
    let began = host.now;
    host.request_within(command, limit).unwrap();
    loop {
        let next = loop {
            while let Some(transmit) = host.session.poll_transmit() {
                module.hear(&transmit.bytes, host.now);
            }
            let (said, next) = module.say(host.now);
            if said.is_empty() {
                break next;
            }
            for piece in said.chunks(piece) {
                host.session.receive(piece, host.now);
            }
        };
        let ended = host.events().into_iter().find(|event| {
            let of_another = matches!(event, Event::Urc(Urc::Received { .. }));
            !of_another && matches!(event, Event::Completed(_))
        });
        if let Some(ended) = ended {
            // A fence in data mode, probes, and the limit of the command itself.
            let longest = Duration::from_secs(2 * 35 + 16 + 40 + 30);
            assert!(host.now - began <= longest, "{:?}", host.now - began);
            return ended;
        }
        let due = [host.session.poll_timeout(), next];
        let at = due.into_iter().flatten().min();
        host.now = at.expect("something is awaited").max(host.now);
        host.session.handle_timeout(host.now);
    }
}

proptest! {
    #[test]
    fn no_command_is_given_the_answer_of_another(
        moods in prop::collection::vec(mood(), 1..40),
        pieces in prop::collection::vec(1_usize..20, 1..8),
    ) {
        let mut host = Host::new();
        host.done(show_length(), "\r\nOK\r\n");
        let mut module = Module {
            moods,
            commands: 0,
            heard: Vec::new(),
            says: VecDeque::new(),
            busy: host.now,
            data: None,
            answered: Vec::new(),
            published: Vec::new(),
        };
        for number in 1..30 {
            let piece = pieces[usize::from(number) % pieces.len()];
            let outcome = exchange(&mut host, &mut module, number, piece);
            let answered = module.answered.contains(&number);
            match outcome {
                Event::Completed(Ok(Answer::Raw(response))) => {
                    prop_assert!(answered);
                    if response.result == FinalResult::Ok {
                        let own = format!("+TOK{number}: {number}").into_bytes();
                        prop_assert!(response.lines.contains(&own));
                    }
                    let other = |line: &&Vec<u8>| line.starts_with(b"+TOK");
                    let tokens: Vec<_> = response.lines.iter().filter(other).collect();
                    // The module itself says one that nobody asked for.
                    prop_assert!(tokens.iter().all(|line| {
                        **line == format!("+TOK{number}: {number}").into_bytes()
                            || **line == b"+TOK65000: 65000"
                    }), "{tokens:?}");
                }
                Event::Completed(Ok(Answer::Mqtt { report, .. })) => {
                    prop_assert!(answered);
                    prop_assert_eq!(report, Some(published(number)));
                }
                Event::Completed(Ok(other)) => prop_assert!(false, "{other:?}"),
                _ => {}
            }
        }
        // Whatever was taken for data was data.
        for (number, data) in &module.published {
            prop_assert_eq!(Some(data.clone()), command(*number).1);
        }
    }
}
