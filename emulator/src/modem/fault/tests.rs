use std::time::SystemTime;

use atmq_protocol::mqtt::{ConnectionId, LinkStatus, Urc};

use super::*;
use crate::profile::Profile;

fn modem(now: Instant) -> Modem {
    let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, SystemTime::now());
    modem.receive(b"ATE0\r", now);
    heard(&mut modem);
    modem
}

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("it is not zero")
}

fn heard(modem: &mut Modem) -> String {
    let mut heard = Vec::new();
    while let Some(bytes) = modem.poll_transmit() {
        heard.extend(bytes);
    }
    heard.escape_ascii().to_string()
}

fn typed(modem: &mut Modem, line: &str, now: Instant) -> String {
    modem.receive(format!("{line}\r").as_bytes(), now);
    heard(modem)
}

#[test]
fn each_fault_happens_once() {
    let now = Instant::now();
    let answer = |result| Effect::Answer {
        lines: vec!["+CSQ: 5,0".to_owned()],
        result,
        urcs: vec![(Duration::ZERO, "+CEREG: 2".to_owned())],
    };
    for (effect, first) in [
        (
            answer(FinalResult::Ok),
            r"\r\n+CSQ: 5,0\r\n\r\nOK\r\n\r\n+CEREG: 2\r\n",
        ),
        (
            answer(FinalResult::Error),
            r"\r\n+CSQ: 5,0\r\n\r\nERROR\r\n\r\n+CEREG: 2\r\n",
        ),
        (
            Effect::Outcome("+LMQTTOPEN: 0,-1,1".to_owned()),
            r"\r\nOK\r\n\r\n+LMQTTOPEN: 0,-1,1\r\n",
        ),
        (Effect::Silent, ""),
        (Effect::ResultLost, r"\r\n+CSQ: 29,0\r\n"),
        (
            Effect::Garbage(b"\x00\xff".to_vec()),
            r"\x00\xff\r\n+CSQ: 29,0\r\n\r\nOK\r\n",
        ),
        (Effect::Reboot, r"^boot.rom\'v\'!\r\n"),
    ] {
        let mut modem = modem(now);
        let fault = Fault::new("+csq", effect);
        modem.add_fault(fault.clone()).unwrap();
        let fault = Fault {
            on: "+CSQ".to_owned(),
            ..fault
        };
        let armed: Vec<_> = modem.faults().map(|armed| &armed.fault).collect();
        assert_eq!(armed, [&fault]);
        assert_eq!(typed(&mut modem, "AT", now), r"\r\nOK\r\n");
        assert_eq!(typed(&mut modem, "AT+CSQ", now), first, "{fault:?}");
        modem.receive(b"ATE0\r", now);
        heard(&mut modem);
        let usual = r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n";
        assert_eq!(typed(&mut modem, "AT+CSQ", now), usual, "{fault:?}");
    }
}

#[test]
fn a_late_command_is_executed_late() {
    let now = Instant::now();
    let mut modem = modem(now);
    let by = Duration::from_secs(20);
    modem.add_fault(Fault::new("", Effect::Late(by))).unwrap();
    assert_eq!(typed(&mut modem, "AT+CSQ", now), "");
    assert_eq!(modem.poll_timeout(), Some(now + by));
    modem.handle_timeout(now + by);
    assert_eq!(heard(&mut modem), r"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
}

#[test]
fn a_fault_may_last_for_ever() {
    let now = Instant::now();
    let mut modem = modem(now);
    let ever = Duration::MAX;
    let answer = Effect::Answer {
        lines: vec![],
        result: FinalResult::Ok,
        urcs: vec![(ever, "+CEREG: 2".to_owned())],
    };
    modem.add_fault(Fault::new("+CSQ", answer)).unwrap();
    assert_eq!(typed(&mut modem, "AT+CSQ", now), r"\r\nOK\r\n");
    modem
        .add_fault(Fault::new("+CSQ", Effect::Late(ever)))
        .unwrap();
    assert_eq!(typed(&mut modem, "AT+CSQ", now), "");
    let year = now + Duration::from_secs(365 * 24 * 3600);
    assert!(modem.poll_timeout() > Some(year));
}

#[test]
fn a_urc_is_lost_and_those_like_it_are_not() {
    let now = Instant::now();
    let mut modem = modem(now);
    typed(&mut modem, "AT+CEREG=1", now);
    modem
        .add_fault(Fault::new("+CEREG: 2", Effect::UrcLost))
        .unwrap();
    // Neither a command nor another URC.
    assert_eq!(
        typed(&mut modem, "AT+CEREG?", now),
        r"\r\n+CEREG: 1,1\r\n\r\nOK\r\n"
    );
    let searching = atmq_protocol::standard::Registration::Searching;
    modem.set_registration(searching, now);
    assert_eq!(heard(&mut modem), "");
    modem.set_registration(atmq_protocol::standard::Registration::Home, now);
    assert_eq!(heard(&mut modem), r"\r\n+CEREG: 1\r\n");
}

#[test]
fn what_changes_nothing_is_refused() {
    let now = Instant::now();
    let mut modem = modem(now);
    for effect in [Effect::Late(Duration::ZERO), Effect::Garbage(Vec::new())] {
        let refused = modem.add_fault(Fault::new("+CSQ", effect));
        assert_eq!(refused, Err(FaultError::Nothing));
    }
    assert_eq!(modem.faults().len(), 0);
}

#[test]
fn a_result_that_is_not_written_is_not_lost() {
    let now = Instant::now();
    let mut modem = modem(now);
    typed(&mut modem, "ATQ1", now);
    let fault = Fault::new("+CSQ", Effect::ResultLost).every(number(2));
    modem.add_fault(fault).unwrap();
    for _ in 0..3 {
        assert_eq!(typed(&mut modem, "AT+CSQ", now), r"\r\n+CSQ: 29,0\r\n");
    }
    let armed = modem.faults().next().expect("it has still to happen");
    assert_eq!((armed.happened, armed.passed), (0, 0));
    assert_eq!(typed(&mut modem, "ATQ0", now), r"\r\nOK\r\n");
    assert!(typed(&mut modem, "AT+CSQ", now).ends_with(r"OK\r\n"));
    assert_eq!(typed(&mut modem, "AT+CSQ", now), r"\r\n+CSQ: 29,0\r\n");
    assert_eq!(modem.faults().len(), 0);
}

#[test]
fn every_nth_happens_so_often() {
    let now = Instant::now();
    let mut modem = modem(now);
    let fault = Fault::new("+CSQ", Effect::ResultLost);
    let fault = fault.every(number(3)).times(Some(number(2)));
    modem.add_fault(fault).unwrap();
    let mut happened = Vec::new();
    for nth in 1..=10 {
        typed(&mut modem, "AT", now);
        if !typed(&mut modem, "AT+CSQ", now).contains("OK") {
            happened.push(nth);
        }
        let left: Vec<_> = modem.faults().map(ArmedFault::left).collect();
        match nth {
            1..3 => assert_eq!(left, [Some(2)]),
            3..6 => assert_eq!(left, [Some(1)]),
            _ => assert!(left.is_empty()),
        }
    }
    assert_eq!(happened, [3, 6]);
}

#[test]
fn a_fault_without_end_ends_when_it_is_forgotten() {
    let now = Instant::now();
    let mut modem = modem(now);
    let fault = Fault::new("", Effect::Silent).times(None);
    modem.add_fault(fault).unwrap();
    for _ in 0..100 {
        assert_eq!(typed(&mut modem, "AT+CSQ", now), "");
    }
    assert_eq!(modem.faults().map(|armed| armed.happened).sum::<u32>(), 100);
    modem.clear_faults();
    assert_eq!(typed(&mut modem, "AT", now), r"\r\nOK\r\n");
}

#[test]
fn what_comes_before_its_time_neither_happens_nor_counts() {
    let start = Instant::now();
    let mut modem = modem(start);
    let from = start + Duration::from_secs(20);
    let fault = Fault::new("+CSQ", Effect::Silent)
        .from(from)
        .every(number(2));
    modem.add_fault(fault).unwrap();
    for (at, is_answered) in [
        (start, true),
        (from - Duration::from_millis(1), true),
        (from, true),
        (from, false),
        (from, true),
    ] {
        assert_eq!(!typed(&mut modem, "AT+CSQ", at).is_empty(), is_answered);
    }
}

#[test]
fn of_two_for_one_line_the_second_happens_at_the_next() {
    let now = Instant::now();
    let mut modem = modem(now);
    for effect in [Effect::Silent, Effect::ResultLost] {
        modem.add_fault(Fault::new("+CSQ", effect)).unwrap();
    }
    assert_eq!(typed(&mut modem, "AT+CSQ", now), "");
    assert_eq!(typed(&mut modem, "AT+CSQ", now), r"\r\n+CSQ: 29,0\r\n");
    assert_eq!(modem.faults().len(), 0);
}

#[test]
fn the_urcs_of_a_fault_without_end_are_bounded() {
    let now = Instant::now();
    let mut modem = modem(now);
    let answer = Effect::Answer {
        lines: vec![],
        result: FinalResult::Ok,
        urcs: vec![(Duration::MAX, "x".repeat(TEXT_LIMIT))],
    };
    let fault = Fault::new("+CSQ", answer).times(None);
    modem.add_fault(fault).unwrap();
    for _ in 0..100 {
        typed(&mut modem, "AT+CSQ", now);
    }
    assert!(modem.output.waiting() <= OUTPUT_LIMIT + TEXT_LIMIT);
}

#[test]
fn what_the_module_prints_of_its_power_can_be_lost() {
    let now = Instant::now();
    let mut modem = modem(now);
    for (on, line) in [("^boot", "AT+CFUN=1,1"), ("normal power", "AT+MPOF=1")] {
        modem.add_fault(Fault::new(on, Effect::UrcLost)).unwrap();
        assert_eq!(typed(&mut modem, line, now), r"\r\nOK\r\n", "{line}");
        assert_eq!(modem.faults().len(), 0);
        modem.receive(b"ATE0\r", now);
        heard(&mut modem);
    }
}

#[test]
fn anything_can_be_injected_but_not_without_end() {
    let now = Instant::now();
    let mut modem = modem(now);
    modem.inject(b"+CMTI: \"SM\",1", now).unwrap();
    assert_eq!(heard(&mut modem), r#"\r\n+CMTI: \"SM\",1\r\n"#);
    modem.inject_bytes(b"\r\n+CER", now).unwrap();
    assert_eq!(heard(&mut modem), r"\r\n+CER");
    let urc = Urc::Status {
        connection: ConnectionId(0),
        status: LinkStatus::Http,
        code: Some(404),
    };
    modem.inject_urc(&urc, now).unwrap();
    assert_eq!(heard(&mut modem), r"\r\n+LMQTTURC: STATS,0,7,404\r\n");
    let urc = Urc::Buffered {
        connection: ConnectionId(5),
        message_id: 1,
    };
    let (connection, last) = (5, 4);
    let refused = FaultError::NoConnection { connection, last };
    assert_eq!(modem.inject_urc(&urc, now), Err(refused));
    let long = vec![b'x'; TEXT_LIMIT + 1];
    assert!(modem.inject(&long, now).is_err());
    let mut taken = 0;
    while modem.inject(&long[1..], now).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 4);
    for _ in 0..FAULTS {
        modem.add_fault(Fault::new("", Effect::Silent)).unwrap();
    }
    let more = modem.add_fault(Fault::new("", Effect::Silent));
    assert_eq!(more, Err(FaultError::TooMany { limit: FAULTS }));
    modem.clear_faults();
    assert_eq!(modem.faults().count(), 0);
    modem.power_off(now);
    assert_eq!(modem.inject(b"x", now), Err(FaultError::NotRunning));
    let closed = modem.lose_link(ConnectionId(0), LinkStatus::Fatal, None, now);
    assert_eq!(closed, Err(FaultError::NotOpen { connection: 0 }));
}
