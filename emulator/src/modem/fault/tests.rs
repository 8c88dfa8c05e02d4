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
        assert_eq!(modem.faults().collect::<Vec<_>>(), [&fault]);
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
fn a_beginning_ends_with_a_word() {
    for (on, line, begins) in [
        ("+LMQTTPUB", "+LMQTTPUB=0,7", true),
        ("+LMQTTPUB", "+LMQTTPUBEX=0,7", false),
        ("+LMQTTPUB=0,7", "+lmqttpub=0,7,1", true),
        ("+LMQTTPUB=0,7", "+LMQTTPUB=0,77,1", false),
        ("+LMQTTPUB=", "+LMQTTPUB=0,7", true),
        ("", "", true),
        ("", "+CSQ", true),
        ("+CSQ", "", false),
    ] {
        let fault = Fault::new(on, Effect::Silent);
        assert_eq!(fault.begins(line.as_bytes()), begins, "{on} {line}");
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
