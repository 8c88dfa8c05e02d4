use std::time::{Instant, SystemTime};

use super::*;
use crate::modem::{Effect, Fault};
use crate::profile::{Profile, ProfileChange};

fn modem(changes: &[&str]) -> Modem {
    let changes = changes.iter().map(|change| change.parse());
    let changes: Result<Vec<ProfileChange>, _> = changes.collect();
    let changes = changes.expect("they are changes");
    let profile = Profile::parse_with("base = \"nt35e\"\n", &changes);
    let profile = profile.expect("it is a profile");
    Modem::new(profile, 0, Instant::now(), SystemTime::now())
}

/// What becomes of a beginning, or why it is refused.
fn added(modem: &mut Modem, on: &str, effect: Effect) -> Result<String, FaultError> {
    modem.clear_faults();
    modem.add_fault(Fault::new(on, effect))?;
    let armed = modem.faults().next().expect("it has still to happen");
    Ok(armed.fault.on.clone())
}

#[test]
fn a_beginning_ends_with_a_word() {
    for (on, line, begun) in [
        ("+LMQTTPUB", "+LMQTTPUB=0,7", true),
        ("+LMQTTPUB", "+LMQTTPUBEX=0,7", false),
        ("+LMQTTPUB=0,7", "+lmqttpub=0,7,1", true),
        ("+LMQTTPUB=0,7", "+LMQTTPUB=0,77,1", false),
        ("+LMQTTPUB=", "+LMQTTPUB=0,7", true),
        ("", "", true),
        ("", "+CSQ", true),
        ("+CSQ", "", false),
        ("AT", "", true),
        ("AT", "+CSQ", false),
        ("E", "E0", true),
        ("E0", "e0v1", true),
        ("E0", "E01", false),
        ("&F", "&F0", true),
        ("S3", "S3?", true),
        ("S3", "S30", false),
        ("D", "DT*99#", true),
        ("D112", "D112;", true),
        ("^boot", "^boot.rom'v'!", true),
    ] {
        assert_eq!(begins(on, line.as_bytes()), begun, "{on} {line}");
    }
}

#[test]
fn every_spelling_of_a_command_is_the_same() {
    let mut modem = modem(&[]);
    for (given, on) in [
        ("AT+CSQ", "+CSQ"),
        ("at+csq", "+CSQ"),
        ("+CSQ", "+CSQ"),
        (" csq ", "+CSQ"),
        ("AT CSQ", "+CSQ"),
        ("cops=0", "+COPS=0"),
        ("AT+COPS=?", "+COPS=?"),
        ("LMQTTPUB=0,7", "+LMQTTPUB=0,7"),
        // It begins with a basic command, L, and is none.
        ("lmqttopen", "+LMQTTOPEN"),
        ("e0", "E0"),
        ("ATE", "E"),
        ("AT&F", "&F"),
        ("\\q3", "\\Q3"),
        ("S3?", "S3?"),
        ("ATD", "D"),
        ("DT*99#", "DT*99#"),
        ("D112;", "D112;"),
        ("ATE0+CMEE=1;+CSQ", "E0+CMEE=1;+CSQ"),
        ("AT", "AT"),
        ("", ""),
    ] {
        let added = added(&mut modem, given, Effect::Silent);
        assert_eq!(added.as_deref(), Ok(on), "{given}");
    }
}

#[test]
fn a_command_that_the_module_has_not_is_refused() {
    let mut modem = modem(&["quirks.tls_commands=false"]);
    for (given, like) in [
        ("+CSK", Some("+CSQ")),
        ("LMQTTOPN", Some("+LMQTTOPEN")),
        ("OPEN", Some("+LMQTTOPEN")),
        ("+LMQTT", Some("+LMQTTPUB")),
        ("+CSQX", Some("+CSQ")),
        ("+CSQ: 1,2", Some("+CSQ")),
        ("E0+CSK", None),
        ("DISC", Some("+LMQTTDISC")),
        ("ALL", None),
        ("A/", None),
        ("CSQ=\r1", Some("+CSQ")),
        ("+QIRD", None),
        // The firmware could have it.
        ("+LFUPL", None),
        ("é", None),
        ("&é", None),
        (";", None),
    ] {
        let Err(FaultError::UnknownCommand { like: found, .. }) =
            added(&mut modem, given, Effect::Silent)
        else {
            panic!("{given} is taken");
        };
        assert_eq!(found.as_deref(), like, "{given}");
    }
    let long = "+".to_owned() + &"x".repeat(16 * 1023);
    assert!(added(&mut modem, &long, Effect::Silent).is_err());
}

#[test]
fn every_spelling_of_a_urc_is_the_same() {
    let mut modem = modem(&[]);
    for (given, on) in [
        ("+LMQTTOPEN", "+LMQTTOPEN"),
        ("lmqttopen", "+LMQTTOPEN"),
        ("LMQTTPUB: 0,7", "+LMQTTPUB: 0,7"),
        ("+CREG:1", "+CREG: 1"),
        ("+creg:", "+CREG:"),
        ("LMQTTURC", "+LMQTTURC"),
        ("+LMQTTURC: stats,0", "+LMQTTURC: STATS,0"),
        ("CIEV", "+CIEV"),
        ("CTZV", "+CTZV"),
        ("CTZE", "+CTZE"),
        ("CGEV", "+CGEV"),
        ("+LHTTPREAD", "+LHTTPREAD"),
        ("^BOOT", "^boot"),
        ("normal power down", "NORMAL POWER DOWN"),
        ("", ""),
    ] {
        let added = added(&mut modem, given, Effect::UrcLost);
        assert_eq!(added.as_deref(), Ok(on), "{given}");
    }
}

#[test]
fn a_urc_that_the_module_does_not_send_is_refused() {
    let mut modem = modem(&[]);
    for (given, like) in [
        ("+LMQTTOPN", Some("+LMQTTOPEN")),
        ("STATS", Some("+LMQTTURC: STATS")),
        ("+LMQTTURC: RECEIVED", Some("+LMQTTURC: RECV")),
        ("+CREG 1", Some("+CREG")),
        ("+CREGX", Some("+CREG")),
        ("+CSQ", None),
        ("RING", None),
        ("NORMAL POWER DOWN!", None),
        // This firmware calls them otherwise, and does not report its SIM.
        ("+LMQTTUNSUNSUB", Some("+LMQTTSUBUNSUB")),
        ("+CPIN", None),
    ] {
        let refused = added(&mut modem, given, Effect::UrcLost);
        let Err(FaultError::UnknownUrc {
            like: found, known, ..
        }) = refused
        else {
            panic!("{given} is taken");
        };
        assert_eq!(found.as_deref(), like, "{given}");
        assert!(known.contains("+LMQTTOPEN"), "{known}");
    }
}

#[test]
fn a_switch_of_the_firmware_decides_what_its_urcs_are_called() {
    let mut modem = modem(&[
        "quirks.sim_urc=true",
        "quirks.unsubscribe_urc=+LMQTTUNSUNSUB",
        "quirks.publish_extended_urc=+LMQTTPUB",
    ]);
    for (urc, is_sent) in [("+CPIN", true), ("LMQTTUNSUNSUB", true), ("PUBEX", false)] {
        let added = added(&mut modem, urc, Effect::UrcLost);
        assert_eq!(added.is_ok(), is_sent, "{urc}");
    }
}

#[test]
fn what_is_refused_says_what_there_is() {
    let mut modem = modem(&[]);
    let refused = added(&mut modem, "+CSK", Effect::Silent).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "this module has no command +CSK, but +CSQ"
    );
    let refused = added(&mut modem, "+QIRD", Effect::Silent).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "this module has no command +QIRD; AT+CLAC lists what it has"
    );
    let refused = added(&mut modem, "RING", Effect::UrcLost).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.starts_with("this module sends no URC RING; it sends +LMQTTCLOSE, "));
}
