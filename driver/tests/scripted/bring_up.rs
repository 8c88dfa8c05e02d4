//! From the SIM to the address, against a module that is a script, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use atmq_driver::{BringUp, BringUpReason, Modem, Pin, Registration};
use tokio::time::Instant;

use crate::module::{Module, OK, line};

pub(crate) const READY: &str = "\r\n+CPIN: READY\r\n\r\nOK\r\n";

/// A bring-up, and the lines that its progress would print.
pub(crate) fn watched() -> (BringUp, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let sink = seen.clone();
    let bring_up = BringUp::default()
        .on_progress(move |progress| sink.lock().unwrap().push(progress.to_string()));
    (bring_up, seen)
}

/// From a SIM that is ready to a module that reports its registration.
pub(crate) async fn on_air(module: &mut Module) {
    module.answer("AT+CPIN?\r", READY).await;
    module
        .answer("AT+CFUN?\r", "\r\n+CFUN: 1\r\n\r\nOK\r\n")
        .await;
    module.answer("AT+CEREG=2\r", OK).await;
}

async fn signal(module: &mut Module, rssi: u8, rsrp: u8) {
    let quality = format!("\r\n+CSQ: {rssi},99\r\n\r\nOK\r\n");
    module.answer("AT+CSQ\r", &quality).await;
    let extended = format!("\r\n+CESQ: 99,99,255,255,20,{rsrp}\r\n\r\nOK\r\n");
    module.answer("AT+CESQ\r", &extended).await;
}

/// From the registration to the end.
pub(crate) async fn in_the_network(module: &mut Module) {
    let attached = "\r\n+CGATT: 1\r\n\r\nOK\r\n";
    module.answer("AT+CGATT?\r", attached).await;
    let address = "\r\n+CGPADDR: 1,\"10.0.0.2\"\r\n\r\nOK\r\n";
    module.answer("AT+CGPADDR\r", address).await;
    let operator = "\r\n+COPS: 0,0,\"Test\",7\r\n\r\nOK\r\n";
    module.answer("AT+COPS?\r", operator).await;
    signal(module, 20, 60).await;
}

async fn fails(modem: &Modem, bring_up: BringUp) -> (BringUpReason, String) {
    let error = modem.bring_up(bring_up).await.unwrap_err();
    (error.reason.clone(), error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_module_is_brought_up_step_by_step() {
    let (modem, mut module) = line();
    let (bring_up, seen) = watched();
    let script = async {
        module.answer("AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n").await;
        module
            .answer("AT+CPIN?\r", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+CPIN=\"1234\"\r", OK).await;
        module.answer("AT+CPIN?\r", READY).await;
        module.answer("AT+CPIN?\r", READY).await;
        module
            .answer("AT+CFUN?\r", "\r\n+CFUN: 4\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+CFUN=1\r", OK).await;
        module.answer("AT+CEREG=2\r", OK).await;
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 2,2\r\n\r\nOK\r\n")
            .await;
        signal(&mut module, 15, 40).await;
        // Nothing is asked while the module reports.
        module.hear_nothing(9).await;
        module
            .say("\r\n+CEREG: 5,\"1A2B\",\"00C0FFEE\",7\r\n")
            .await;
        in_the_network(&mut module).await;
    };
    let bring_up = bring_up.pin(Pin::new("1234").unwrap());
    let (network, ()) = tokio::join!(modem.bring_up(bring_up), script);
    let network = network.unwrap();
    assert_eq!(network.status.registration, Registration::Roaming);
    assert_eq!(network.status.cell.unwrap().cell, 0x00c0_ffee);
    assert_eq!(network.signal.rsrp_dbm, Some(-80));
    assert_eq!(network.signal.rsrq_db, Some(-9.5));
    assert_eq!(network.operator.unwrap().name, "Test");
    assert_eq!(network.ip.unwrap().to_string(), "10.0.0.2");
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "no SIM",
            "the SIM asks for its PIN",
            "the PIN was accepted",
            "the SIM is ready",
            "the radio is switched on",
            "searching for a network",
            "signal -83 dBm, reference signal -100 dBm",
            "registered, roaming, area 1A2B, cell 00C0FFEE",
            "attached to the packet network",
            "the address is 10.0.0.2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_sim_it_says_so_after_ten_seconds() {
    let (modem, mut module) = line();
    let script = async {
        loop {
            module.answer("AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n").await;
        }
    };
    tokio::select! {
        (reason, text) = fails(&modem, BringUp::default()) => {
            assert_eq!(reason, BringUpReason::NoSim);
            assert!(text.starts_with("no SIM, after 1"), "{text}");
        }
        () = script => {}
    }
}

/// What is wrong with a SIM is the same in numbers and in words.
#[tokio::test(start_paused = true)]
async fn a_sim_error_in_words_is_understood_as_its_number() {
    for (errors, expected) in [
        (["10", "SIM not inserted"], BringUpReason::NoSim),
        (["11", "SIM PIN required"], BringUpReason::PinRequired),
        (["12", "SIM PUK required"], BringUpReason::PukRequired),
        (
            ["13", "SIM failure"],
            BringUpReason::SimNotReady(Some("SIM failure".into())),
        ),
        (
            ["14", "SIM busy"],
            BringUpReason::SimNotReady(Some("it is busy".into())),
        ),
        (
            ["15", "(U)SIM wrong"],
            BringUpReason::SimNotReady(Some("SIM wrong".into())),
        ),
        (
            ["17", "SIM PIN2 required"],
            BringUpReason::SimNotReady(Some("SIM PIN2 required".into())),
        ),
    ] {
        for error in errors {
            let (modem, mut module) = line();
            let script = async {
                loop {
                    let error = format!("\r\n+CME ERROR: {error}\r\n");
                    module.answer("AT+CPIN?\r", &error).await;
                }
            };
            tokio::select! {
                (reason, text) = fails(&modem, BringUp::default()) => {
                    assert_eq!(reason, expected, "{error}: {text}");
                }
                () = script => {}
            }
        }
    }
}

/// 27.007 section 10.1.22: 6 to 8 carry no data, 9 and 10 do.
#[tokio::test(start_paused = true)]
async fn a_registration_without_data_is_waited_out_and_named() {
    for (stat, words) in [
        (6, "registered for short messages alone, not for data"),
        (7, "registered for short messages alone, not for data"),
        (8, "registered for emergency calls alone, not for data"),
    ] {
        let (modem, mut module) = line();
        let script = async {
            on_air(&mut module).await;
            loop {
                let answer = format!("\r\n+CEREG: 2,{stat}\r\n\r\nOK\r\n");
                module.answer("AT+CEREG?\r", &answer).await;
                signal(&mut module, 20, 60).await;
            }
        };
        let bring_up = BringUp::default().limit(Duration::from_secs(30));
        tokio::select! {
            (_, text) = fails(&modem, bring_up) => {
                assert!(text.starts_with(&format!("not registered: {words}, signal")), "{text}");
            }
            () = script => {}
        }
    }
    for (stat, registration) in [
        (9, Registration::HomeCsfbNotPreferred),
        (10, Registration::RoamingCsfbNotPreferred),
    ] {
        let (modem, mut module) = line();
        let script = async {
            on_air(&mut module).await;
            let answer = format!("\r\n+CEREG: 2,{stat}\r\n\r\nOK\r\n");
            module.answer("AT+CEREG?\r", &answer).await;
            in_the_network(&mut module).await;
        };
        let (network, ()) = tokio::join!(modem.bring_up(BringUp::default()), script);
        assert_eq!(network.unwrap().status.registration, registration);
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_without_cereg_is_asked_for_its_other_registrations() {
    let refused = "\r\n+CME ERROR: 4\r\n";
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+CPIN?\r", READY).await;
        module
            .answer("AT+CFUN?\r", "\r\n+CFUN: 1\r\n\r\nOK\r\n")
            .await;
        for line in ["AT+CEREG=2\r", "AT+CEREG=1\r", "AT+CGREG=2\r"] {
            module.answer(line, refused).await;
        }
        module.answer("AT+CGREG=1\r", OK).await;
        module.answer("AT+CEREG?\r", refused).await;
        module.answer("AT+CGREG?\r", refused).await;
        module
            .answer("AT+CREG?\r", "\r\n+CREG: 0,2\r\n\r\nOK\r\n")
            .await;
        signal(&mut module, 20, 60).await;
        // What it reports under the name that it has taken counts.
        module.hear_nothing(5).await;
        module.say("\r\n+CGREG: 5\r\n").await;
        in_the_network(&mut module).await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(BringUp::default()), script);
    assert_eq!(network.unwrap().status.registration, Registration::Roaming);
    // Without any, the refusal of the first is told.
    let script = async {
        module.answer("AT+CEREG?\r", refused).await;
        module.answer("AT+CGREG?\r", "\r\nERROR\r\n").await;
        module.answer("AT+CREG?\r", "\r\nERROR\r\n").await;
    };
    let (status, ()) = tokio::join!(modem.registration(), script);
    assert_eq!(
        status.unwrap_err().to_string(),
        "the module answered AT+CEREG? with +CME ERROR: 4"
    );
}

/// Every wrong PIN counts, and the third locks the SIM.
#[tokio::test(start_paused = true)]
async fn a_wrong_pin_is_entered_once_however_often_it_is_tried() {
    let (modem, mut module) = line();
    let required = "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n";
    let script = async {
        module.answer("AT+CPIN?\r", required).await;
        module
            .answer("AT+CPIN=\"9999\"\r", "\r\n+CME ERROR: 16\r\n")
            .await;
        module.answer("AT+CPIN?\r", required).await;
        module.answer("AT+CPIN?\r", required).await;
        // Another PIN is another matter.
        module.answer("AT+CPIN?\r", required).await;
        module
            .answer("AT+CPIN=\"8888\"\r", "\r\n+CME ERROR: SIM PUK required\r\n")
            .await;
    };
    let wrong = || BringUp::default().pin(Pin::new("9999").unwrap());
    let tries = async {
        let (reason, text) = fails(&modem, wrong()).await;
        assert_eq!(reason, BringUpReason::PinRefused);
        assert!(!text.contains("9999"), "{text}");
        assert_eq!(fails(&modem, wrong()).await.0, BringUpReason::PinSpent);
        let (reason, text) = fails(&modem, BringUp::default()).await;
        assert_eq!(reason, BringUpReason::PinRequired);
        assert!(text.starts_with("the SIM asks for its PIN, and none was given"));
        let other = BringUp::default().pin(Pin::new("8888").unwrap());
        assert_eq!(fails(&modem, other).await.0, BringUpReason::PukRequired);
    };
    tokio::join!(tries, script);
}

/// Whether it was accepted nobody knows, so it must not be entered again.
#[tokio::test(start_paused = true)]
async fn a_pin_whose_answer_is_lost_is_not_entered_again() {
    let (modem, mut module) = line();
    let required = "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n";
    let script = async {
        module.answer("AT+CPIN?\r", required).await;
        module.hear("AT+CPIN=\"1234\"\r").await;
        module
            .answer("AT+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+CPIN?\r", required).await;
    };
    let bring_up = BringUp::default().pin(Pin::new("1234").unwrap());
    let ((reason, _), ()) = tokio::join!(fails(&modem, bring_up), script);
    assert_eq!(reason, BringUpReason::PinSpent);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_denies_is_believed_after_twenty_seconds() {
    let (modem, mut module) = line();
    let script = async {
        on_air(&mut module).await;
        loop {
            module
                .answer("AT+CEREG?\r", "\r\n+CEREG: 2,3\r\n\r\nOK\r\n")
                .await;
            signal(&mut module, 25, 70).await;
        }
    };
    let began = Instant::now();
    tokio::select! {
        (reason, text) = fails(&modem, BringUp::default()) => {
            assert_eq!(reason, BringUpReason::Denied);
            assert_eq!(text, "registration denied by the network, after 20.0 s");
            assert_eq!(began.elapsed().as_secs(), 20);
        }
        () = script => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_weak_signal_is_named_when_the_time_is_up() {
    let (modem, mut module) = line();
    let script = async {
        on_air(&mut module).await;
        loop {
            module
                .answer("AT+CEREG?\r", "\r\n+CEREG: 2,2\r\n\r\nOK\r\n")
                .await;
            module
                .answer("AT+CSQ\r", "\r\n+CSQ: 0,99\r\n\r\nOK\r\n")
                .await;
            module.answer("AT+CESQ\r", "\r\n+CME ERROR: 4\r\n").await;
        }
    };
    let bring_up = BringUp::default().limit(Duration::from_secs(45));
    tokio::select! {
        (_, text) = fails(&modem, bring_up) => {
            assert_eq!(text, "signal too weak: signal -113 dBm, after 45.0 s");
        }
        () = script => {}
    }
}

/// A report may be lost, or the module may have none.
#[tokio::test(start_paused = true)]
async fn a_module_that_reports_nothing_is_asked() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+CPIN?\r", READY).await;
        module
            .answer("AT+CFUN?\r", "\r\n+CFUN: 1\r\n\r\nOK\r\n")
            .await;
        for name in ["CEREG", "CGREG", "CREG"] {
            for reports in [2, 1] {
                let line = format!("AT+{name}={reports}\r");
                module.answer(&line, "\r\nERROR\r\n").await;
            }
        }
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 0,2\r\n\r\nOK\r\n")
            .await;
        signal(&mut module, 20, 60).await;
        let asked = Instant::now();
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 0,1\r\n\r\nOK\r\n")
            .await;
        assert_eq!(asked.elapsed().as_secs(), 2);
        in_the_network(&mut module).await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(BringUp::default()), script);
    assert_eq!(network.unwrap().status.registration, Registration::Home);
}

#[tokio::test(start_paused = true)]
async fn a_reboot_meanwhile_begins_anew() {
    let (modem, mut module) = line();
    let (bring_up, seen) = watched();
    let script = async {
        on_air(&mut module).await;
        module.hear("AT+CEREG?\r").await;
        module.say("^boot.rom'v'!\r\n").await;
        module
            .answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n")
            .await;
        on_air(&mut module).await;
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 2,1\r\n\r\nOK\r\n")
            .await;
        in_the_network(&mut module).await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(bring_up), script);
    network.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[1], "the module has started anew", "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn an_lte_module_that_is_not_attached_is_told_to() {
    let (modem, mut module) = line();
    let script = async {
        on_air(&mut module).await;
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 2,1\r\n\r\nOK\r\n")
            .await;
        module
            .answer("AT+CGATT?\r", "\r\n+CGATT: 0\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+CGATT=1\r", OK).await;
        module
            .answer("AT+CGATT?\r", "\r\n+CGATT: 1\r\n\r\nOK\r\n")
            .await;
        loop {
            module.answer("AT+CGPADDR\r", OK).await;
        }
    };
    let bring_up = BringUp::default().limit(Duration::from_secs(30));
    tokio::select! {
        (reason, text) = fails(&modem, bring_up) => {
            assert_eq!(reason, BringUpReason::NoAddress);
            assert_eq!(text, "attached, but the network has assigned no address, after 30.0 s");
        }
        () = script => {}
    }
}

const CONTEXTS: &str = "\r\n+CGDCONT: 1,\"IPV4V6\",\"\",\"\",0,0\r\n\r\nOK\r\n";

/// From an access point that is set or known to the registration.
async fn on_air_again(module: &mut Module) {
    module
        .answer("AT+CFUN?\r", "\r\n+CFUN: 1\r\n\r\nOK\r\n")
        .await;
    module.answer("AT+CEREG=2\r", OK).await;
    let registered = "\r\n+CEREG: 2,1,\"1A2B\",\"00C0FFEE\",7\r\n\r\nOK\r\n";
    module.answer("AT+CEREG?\r", registered).await;
    in_the_network(module).await;
}

#[tokio::test(start_paused = true)]
async fn a_module_with_another_access_point_is_told_the_right_one_and_attaches_anew() {
    let (modem, mut module) = line();
    let (bring_up, seen) = watched();
    let script = async {
        module.answer("AT+CPIN?\r", READY).await;
        module.answer("AT+CGDCONT?\r", CONTEXTS).await;
        module
            .answer("AT+CGDCONT=1,\"IPV4V6\",\"iot.test\"\r", OK)
            .await;
        module.answer("AT+CGATT=0\r", OK).await;
        module.answer("AT+CGATT=1\r", OK).await;
        on_air_again(&mut module).await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(bring_up.apn("iot.test")), script);
    network.unwrap();
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains(&"the access point is iot.test".to_owned()),
        "{seen:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_module_that_has_the_access_point_is_left_as_it_is() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+CPIN?\r", READY).await;
        let contexts = CONTEXTS.replace("\"\",\"\"", "\"IOT.test\",\"10.0.0.2\"");
        module.answer("AT+CGDCONT?\r", &contexts).await;
        on_air_again(&mut module).await;
    };
    let bring_up = BringUp::default().apn("iot.test");
    let (network, ()) = tokio::join!(modem.bring_up(bring_up), script);
    network.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_access_point_that_is_refused_or_cannot_be_written_is_told() {
    for (apn, answered) in [("iot.test", true), ("iot\",\"x", false)] {
        let (modem, mut module) = line();
        let script = async {
            module.answer("AT+CPIN?\r", READY).await;
            module.answer("AT+CGDCONT?\r", CONTEXTS).await;
            if answered {
                let line = format!("AT+CGDCONT=1,\"IPV4V6\",\"{apn}\"\r");
                module.answer(&line, "\r\nERROR\r\n").await;
            }
        };
        let bring_up = BringUp::default().apn(apn);
        let ((reason, text), ()) = tokio::join!(fails(&modem, bring_up), script);
        assert_eq!(reason, BringUpReason::AccessPointRefused);
        assert!(
            text.starts_with("the module does not take the access point"),
            "{text}"
        );
    }
}
