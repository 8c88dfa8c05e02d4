//! A module that asks for patience: in the first seconds after its start some do.

use std::time::Duration;

use atmq_driver::{BringUp, BringUpReason, ConnectionId, Pin};
use tokio::time::Instant;

use crate::bring_up::{READY, in_the_network, on_air, watched};
use crate::condition::{PROBED, initialised_again};
use crate::module::{OK, line, options};

/// The SIM of a module that has just started may keep it busy, in its own way to say so.
#[tokio::test(start_paused = true)]
async fn a_module_that_is_busy_at_the_start_is_waited_for() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("ATE0\r", OK).await;
        for busy in ["SIM busy", "14", "515"] {
            let busy = format!("\r\n+CME ERROR: {busy}\r\n");
            module.answer("AT+CMEE=1\r", &busy).await;
        }
        module.answer("AT+CMEE=1\r", OK).await;
        module.answer("AT+CGMM\r", "\r\n+CME ERROR: 14\r\n").await;
        module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
    // What it accepts was found out all the same: an NT35E has five connections.
    let options = options().connection(ConnectionId(4));
    let script = module.answer("AT+LMQTTCLOSE=4\r", OK);
    tokio::select! {
        error = modem.connect(options) => panic!("{error:?}"),
        () = script => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_stays_busy_is_given_up_with_what_it_says() {
    let (modem, mut module) = line();
    let began = Instant::now();
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("ATE0\r", OK).await;
        loop {
            let busy = "\r\n+CME ERROR: SIM busy\r\n";
            module.answer("AT+CMEE=1\r", busy).await;
        }
    };
    tokio::select! {
        outcome = modem.initialise() => {
            let error = outcome.unwrap_err().to_string();
            assert_eq!(error, "the module answered AT+CMEE=1 with +CME ERROR: SIM busy");
            let took = began.elapsed().as_secs();
            assert!((10..12).contains(&took), "{took}");
        }
        () = script => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_of_a_busy_module_begins_anew() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("ATE0\r", OK).await;
        let busy = "\r\n+CME ERROR: 14\r\n";
        module.answer("AT+CMEE=1\r", busy).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        module.say("^boot.rom'v'!\r\n").await;
        initialised_again(&mut module).await;
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
}

/// A module that has just been switched on still reads its SIM, and says so in its own way.
#[tokio::test(start_paused = true)]
async fn a_busy_sim_is_waited_for() {
    let (modem, mut module) = line();
    let (bring_up, seen) = watched();
    let script = async {
        for busy in [
            "\r\n+CME ERROR: 14\r\n",
            "\r\n+CME ERROR: SIM busy\r\n",
            "\r\n+CPIN: NOT READY\r\n\r\nOK\r\n",
            "\r\n+CME ERROR: 515\r\n",
        ] {
            module.answer("AT+CPIN?\r", busy).await;
        }
        module.answer("AT+CPIN?\r", READY).await;
        let asked = Instant::now();
        let busy = "\r\n+CME ERROR: SIM busy\r\n";
        module.answer("AT+CFUN?\r", busy).await;
        let off = "\r\n+CFUN: 0\r\n\r\nOK\r\n";
        module.answer("AT+CFUN?\r", off).await;
        module.answer("AT+CFUN=1\r", busy).await;
        module.answer("AT+CFUN=1\r", OK).await;
        module.answer("AT+CEREG=2\r", busy).await;
        module.answer("AT+CEREG=2\r", OK).await;
        assert!(asked.elapsed() < Duration::from_secs(3));
        module
            .answer("AT+CEREG?\r", "\r\n+CEREG: 2,1\r\n\r\nOK\r\n")
            .await;
        in_the_network(&mut module).await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(bring_up), script);
    network.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen[..2], ["the SIM is busy", "the SIM is ready"]);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_stays_busy_fails_with_what_it_says() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+CPIN?\r", READY).await;
        module
            .answer("AT+CFUN?\r", "\r\n+CFUN: 0\r\n\r\nOK\r\n")
            .await;
        loop {
            module.answer("AT+CFUN=1\r", "\r\n+CME ERROR: 14\r\n").await;
        }
    };
    tokio::select! {
        error = modem.bring_up(BringUp::default()) => {
            let error = error.unwrap_err();
            let waited = error.waited.as_secs();
            assert!((10..12).contains(&waited), "{error}");
            let source = error.source.expect("the command has failed");
            assert_eq!(source.to_string(), "the module answered AT+CFUN=1 with +CME ERROR: 14");
        }
        () = script => {}
    }
}

/// An accepted PIN is not entered twice, however long the SIM is busy with it.
#[tokio::test(start_paused = true)]
async fn a_sim_that_is_busy_with_its_pin_is_not_given_it_again() {
    let (modem, mut module) = line();
    let required = "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n";
    let script = async {
        module.answer("AT+CPIN?\r", required).await;
        module.answer("AT+CPIN=\"1234\"\r", OK).await;
        let busy = "\r\n+CME ERROR: 14\r\n";
        for answer in [busy, required, busy, READY, READY] {
            module.answer("AT+CPIN?\r", answer).await;
        }
        module.hear("AT+CFUN?\r").await;
    };
    let bring_up = BringUp::default().pin(Pin::new("1234").unwrap());
    tokio::select! {
        outcome = modem.bring_up(bring_up) => panic!("{outcome:?}"),
        () = script => {}
    }
}

/// Whether the SIM has counted it nobody knows, so it is asked and not given it again.
#[tokio::test(start_paused = true)]
async fn a_pin_that_a_busy_sim_does_not_take_is_neither_refused_nor_repeated() {
    for (accepted, reason) in [(true, None), (false, Some(BringUpReason::PinSpent))] {
        let (modem, mut module) = line();
        let required = "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n";
        let script = async {
            module.answer("AT+CPIN?\r", required).await;
            module
                .answer("AT+CPIN=\"1234\"\r", "\r\n+CME ERROR: SIM busy\r\n")
                .await;
            if accepted {
                module.answer("AT+CPIN?\r", READY).await;
                on_air(&mut module).await;
                module
                    .answer("AT+CEREG?\r", "\r\n+CEREG: 2,1\r\n\r\nOK\r\n")
                    .await;
                in_the_network(&mut module).await;
            } else {
                for _ in 0..5 {
                    module.answer("AT+CPIN?\r", required).await;
                }
            }
        };
        let bring_up = BringUp::default().pin(Pin::new("1234").unwrap());
        let (outcome, ()) = tokio::join!(modem.bring_up(bring_up), script);
        assert_eq!(outcome.err().map(|error| error.reason), reason);
    }
}
