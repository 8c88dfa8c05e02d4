//! What the task does by itself: a module that reboots, a port that is lost, a module that
//! answers nothing.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atmq_driver::{
    Disconnected, Error, ExchangeError, Modem, ModemState, ModuleUrc, Registration, Settings,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::connected::connected;
use crate::module::{Line, Module, OK, line, line_with, wire};

pub(crate) const PROBED: &str = "\r\n+CMEE: 0\r\n\r\nOK\r\n";

/// What brings a module in order.
pub(crate) async fn initialised(module: &mut Module) {
    module.answer("AT\r", OK).await;
    initialised_again(module).await;
}

/// The same of a module that is known to take commands.
pub(crate) async fn initialised_again(module: &mut Module) {
    module.answer("AT+CMEE?\r", PROBED).await;
    climbed(module).await;
}

async fn climbed(module: &mut Module) {
    module.answer("ATE0\r", OK).await;
    module.answer("AT+CMEE=1\r", OK).await;
    module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
}

pub(crate) async fn in_order(settings: Settings) -> (Modem, Module) {
    let (modem, mut module) = line_with(settings);
    let (outcome, ()) = tokio::join!(modem.initialise(), initialised(&mut module));
    outcome.unwrap();
    (modem, module)
}

#[tokio::test(start_paused = true)]
async fn a_module_that_reboots_is_brought_in_order_before_the_next_command() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let (client, mut messages) = connected(&modem, &mut module).await;
    let mut states = modem.state_changes();
    assert_eq!(states.recv().await, Some(ModemState::Ready));
    module.say("^boot.rom'v'!\r\n").await;
    assert_eq!(messages.recv().await, None);
    assert_eq!(client.ended(), Some(Disconnected::Rebooted));
    assert_eq!(states.recv().await, Some(ModemState::Initialising));
    let script = async {
        initialised_again(&mut module).await;
        module
            .answer("AT+CSQ\r", "\r\n+CSQ: 29,0\r\n\r\nOK\r\n")
            .await;
    };
    let (quality, ()) = tokio::join!(modem.signal_quality(), script);
    assert_eq!(quality.unwrap().rssi, 29);
    assert_eq!(states.recv().await, Some(ModemState::Ready));
    assert_eq!(modem.counters().initialisations, 2);
}

#[tokio::test(start_paused = true)]
async fn a_reboot_while_it_is_brought_in_order_begins_anew() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("ATE0\r", OK).await;
        module.hear("AT+CMEE=1\r").await;
        module.say("^boot.rom'v'!\r\n").await;
        initialised_again(&mut module).await;
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_module_that_reboots_without_end_is_given_up() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT\r", OK).await;
        loop {
            module.answer("AT+CMEE?\r", PROBED).await;
            module.answer("ATE0\r", "^boot.rom'v'!\r\n").await;
        }
    };
    tokio::select! {
        outcome = modem.initialise() => {
            assert_eq!(outcome.unwrap_err().to_string(), "the module rebooted during ATE0");
        }
        () = script => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_is_switched_off_and_on_is_brought_in_order() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let mut states = modem.state_changes();
    module.say("\r\nNORMAL POWER DOWN\r\n").await;
    while states.recv().await != Some(ModemState::PoweredDown) {}
    module.hear_nothing(50).await;
    module.say("^boot.rom'v'!\r\n").await;
    initialised_again(&mut module).await;
    while states.recv().await != Some(ModemState::Ready) {}
}

/// All who wait have waited for the same.
#[tokio::test(start_paused = true)]
async fn a_silent_module_fails_all_who_wait_together_and_is_tried_again() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let mut states = modem.state_changes();
    module.say("^boot.rom'v'!\r\n").await;
    // Else a command may be sent before the banner is read.
    while states.recv().await != Some(ModemState::Initialising) {}
    let began = Instant::now();
    let (one, two, three) = tokio::join!(
        modem.signal_quality(),
        modem.signal_quality(),
        modem.attention()
    );
    for outcome in [one.map(drop), two.map(drop), three] {
        let error = outcome.unwrap_err();
        assert!(matches!(
            error,
            Error::Exchange(ExchangeError::Unresponsive { .. })
        ));
    }
    assert!(began.elapsed() < Duration::from_secs(16));
    assert!(matches!(modem.state(), ModemState::Unresponsive(_)));
    for _ in 0..4 {
        module.hear("AT+CMEE?\r").await;
    }
    // Nobody asks for anything, and it comes back.
    let ((), ready) = tokio::join!(initialised_again(&mut module), modem.ready());
    ready.unwrap();
    assert_eq!(modem.state(), ModemState::Ready);
}

#[tokio::test(start_paused = true)]
async fn reports_that_were_asked_for_are_asked_for_again() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let script = async {
        module
            .answer("AT+CPIN?\r", "\r\n+CPIN: READY\r\n\r\nOK\r\n")
            .await;
        module
            .answer("AT+CFUN?\r", "\r\n+CFUN: 1\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+CEREG=2\r", OK).await;
        module.hear("AT+CEREG?\r").await;
    };
    tokio::select! {
        _ = modem.bring_up(atmq_driver::BringUp::default()) => panic!("nothing was answered"),
        () = script => {}
    }
    module.say("^boot.rom'v'!\r\n").await;
    initialised_again(&mut module).await;
    module.answer("AT+CEREG=2\r", OK).await;
    let mut urcs = modem.urcs();
    module.say("\r\n+CEREG: 1\r\n").await;
    let Some(ModuleUrc::Registration(changed)) = urcs.recv().await else {
        panic!("another one");
    };
    assert_eq!(changed.registration, Registration::Home);
}

#[tokio::test(start_paused = true)]
async fn what_the_module_says_by_itself_is_typed() {
    let (modem, mut module) = line();
    let mut urcs = modem.urcs();
    module
        .say("\r\n+CPIN: READY\r\n\r\n+CTZV: +32\r\n\r\n+LMQTTURC: STATS,0,1\r\n\r\n+WHAT: 1\r\n")
        .await;
    module.say("\r\nNORMAL POWER DOWN\r\n\r\nLierda\r\n").await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(urcs.recv().await.unwrap());
    }
    assert!(matches!(
        &seen[..],
        [
            ModuleUrc::SimStatus(atmq_driver::SimStatus::Ready),
            ModuleUrc::TimeZone {
                zone: 32,
                daylight_saving: None
            },
            ModuleUrc::Mqtt(atmq_protocol::mqtt::Urc::Status { .. }),
            ModuleUrc::Unknown(unknown),
            ModuleUrc::PoweredDown,
            ModuleUrc::Booted,
        ] if unknown == b"+WHAT: 1"
    ));
    assert_eq!(modem.counters().unrecognised_lines, 1);
}

/// A module with its echo on sends every command back.
#[tokio::test(start_paused = true)]
async fn a_tap_shows_no_secret_on_its_way_back() {
    let shown = Arc::<Mutex<String>>::default();
    let sink = shown.clone();
    let settings = Settings::default().tap(move |tapped| {
        let redacted = tapped.redacted();
        *sink.lock().unwrap() += &String::from_utf8_lossy(&redacted);
    });
    let (modem, mut module) = line_with(settings);
    let line = "AT+CLCK=\"SC\",1,\"47114711\"";
    let script = async {
        module.hear(&format!("{line}\r")).await;
        for byte in format!("{line}\r\r\n+X: \"47114711\"\r\nOK\r\n").chars() {
            module.say(&byte.to_string()).await;
            tokio::task::yield_now().await;
        }
    };
    let (response, ()) = tokio::join!(modem.command(line), script);
    response.unwrap();
    let shown = shown.lock().unwrap();
    assert!(!shown.contains("4711"), "{shown}");
    assert!(
        shown.starts_with("AT+CLCK=\"SC\",1,\"***\"\rAT+CLCK=\"SC\",1,\"***"),
        "{shown}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_too_slow_is_told_what_it_missed() {
    let (modem, mut module) = line();
    let mut urcs = modem.urcs();
    for _ in 0..300 {
        module.say("\r\n+CPIN: READY\r\n").await;
    }
    let script = module.answer("AT\r", OK);
    let (outcome, ()) = tokio::join!(modem.attention(), script);
    outcome.unwrap();
    assert_eq!(urcs.missed(), 44);
    assert_eq!(modem.counters().lines_dropped, 44);
    let mut read = 0;
    while urcs.try_recv().is_some() {
        read += 1;
    }
    assert_eq!(read, 256);
}

/// A modem whose streams are taken from a list; the other ends.
fn reopened(settings: Settings) -> (Modem, Module, mpsc::UnboundedSender<Line>) {
    let (give, take) = mpsc::unbounded_channel();
    let take = Arc::new(Mutex::new(take));
    let settings = settings.reopen_with(move || {
        let next = take.lock().unwrap().try_recv();
        std::future::ready(next.map_err(|_| io::Error::other("not yet")))
    });
    let (modem, module) = line_with(settings);
    (modem, module, give)
}

#[tokio::test(start_paused = true)]
async fn a_port_that_comes_back_is_used_again_by_the_same_handles() {
    let (modem, mut module, give) = reopened(Settings::default());
    let (outcome, ()) = tokio::join!(modem.initialise(), initialised(&mut module));
    outcome.unwrap();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let mut lines = modem.lines();
    let gone = async {
        module.hear("AT+CSQ\r").await;
        drop(module);
    };
    let (outcome, ()) = tokio::join!(modem.signal_quality(), gone);
    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the port was lost meanwhile: the device or peer has closed it"
    );
    assert_eq!(messages.recv().await, None);
    assert!(matches!(client.ended(), Some(Disconnected::PortLost(_))));
    assert!(matches!(modem.state(), ModemState::PortLost(_)));
    // Nothing waits while it is away.
    let began = Instant::now();
    let error = modem.attention().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the port has not come back yet: the device or peer has closed it"
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (host, module) = wire(4096);
    give.send(host).unwrap();
    let mut module = Module::at(module);
    let began = Instant::now();
    let ((), ready) = tokio::join!(initialised(&mut module), modem.ready());
    ready.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(3));
    connected(&modem, &mut module).await;
    module.say("\r\n+WHAT: 1\r\n").await;
    assert_eq!(lines.recv().await.unwrap(), b"+WHAT: 1");
    assert_eq!(modem.counters().port_losses, 1);
}

/// Its answer, or a payload that was cut in two, must not be read as something else.
#[tokio::test(start_paused = true)]
async fn half_a_line_before_the_loss_is_not_joined_to_what_comes_after() {
    let (modem, mut module, give) = reopened(Settings::default());
    module.say("\r\n+LMQTTURC: RECV,0,1,\"t\",100,half").await;
    drop(module);
    let (host, module) = wire(4096);
    give.send(host).unwrap();
    let mut module = Module::at(module);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module
            .answer("AT+CSQ\r", "\r\n+CSQ: 29,0\r\n\r\nOK\r\n")
            .await;
    };
    let (quality, ()) = tokio::join!(modem.signal_quality(), script);
    assert_eq!(quality.unwrap().rssi, 29);
}

#[tokio::test(start_paused = true)]
async fn the_search_for_a_port_ends_with_the_last_handle() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let settings = Settings::default().reopen_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err::<Line, _>(io::Error::other("never")))
    });
    let (modem, module) = line_with(settings);
    drop(module);
    tokio::time::sleep(Duration::from_secs(60)).await;
    // After 0.25, 0.5 and 1 s, then every 2 s.
    assert_eq!(tries.load(Ordering::Relaxed), 32);
    drop(modem);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(tries.load(Ordering::Relaxed), 32);
}

#[tokio::test(start_paused = true)]
async fn a_module_is_reset_by_command() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("AT+CFUN=0,1\r", OK).await;
        module.hear_nothing(2).await;
        module.say("^boot.rom'v'!\r\n").await;
        initialised_again(&mut module).await;
    };
    let (outcome, ()) = tokio::join!(modem.reset(), script);
    outcome.unwrap();
    assert_eq!(client.ended(), Some(Disconnected::Rebooted));
    assert_eq!(modem.counters().resets, 1);
    assert_eq!(modem.state(), ModemState::Ready);
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_does_not_hold_a_reset_up() {
    let pulses = Arc::new(AtomicUsize::new(0));
    let counted = pulses.clone();
    let settings = Settings::default().reset_hook(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Ok(())
        }
    });
    let (modem, mut module) = in_order(settings).await;
    let reset = async {
        module.hear("AT+CGATT=1\r").await;
        let ((), one, two) =
            tokio::join!(initialised_again(&mut module), modem.reset(), modem.reset());
        one.unwrap();
        two.unwrap();
    };
    let (outcome, ()) = tokio::join!(modem.attach(true), reset);
    assert_eq!(outcome, Err(Error::Reset));
    assert_eq!(pulses.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_fails_says_why() {
    let settings = Settings::default()
        .reset_hook(|| std::future::ready(Err(io::Error::other("no such line"))));
    let (modem, mut module) = in_order(settings).await;
    let error = modem.reset().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the module could not be reset: no such line"
    );
    // It may be in order all the same.
    let script = async {
        initialised_again(&mut module).await;
        module.answer("AT\r", OK).await;
    };
    let (outcome, ()) = tokio::join!(modem.attention(), script);
    outcome.unwrap();
}

/// From the first unanswered command to a module in order: 5 s for the command, 15 s for the
/// probes, then the reset.
#[tokio::test(start_paused = true)]
async fn a_wedged_module_is_reset_by_itself_if_that_is_allowed() {
    let (modem, mut module) = in_order(Settings::default().recover(true)).await;
    let began = Instant::now();
    let script = async {
        module.hear("AT+CSQ\r").await;
        for _ in 0..4 {
            module.hear("AT+CMEE?\r").await;
        }
        // It hears, but cannot answer.
        module.hear("AT+CFUN=0,1\r").await;
        module.hear_nothing(2).await;
        module.say("^boot.rom'v'!\r\n").await;
        initialised_again(&mut module).await;
    };
    let commands = async {
        let error = modem.signal_quality().await.unwrap_err();
        assert!(matches!(
            error,
            Error::Exchange(ExchangeError::Timeout { .. })
        ));
        let error = modem.signal_quality().await.unwrap_err();
        assert!(matches!(
            error,
            Error::Exchange(ExchangeError::Unresponsive { .. })
        ));
        assert_eq!(modem.state(), ModemState::Resetting);
        modem.ready().await.unwrap();
    };
    tokio::join!(commands, script);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(modem.counters().resets, 1);
}

#[tokio::test(start_paused = true)]
async fn a_module_that_stays_silent_is_reset_once_a_minute() {
    let pulses = Arc::new(AtomicUsize::new(0));
    let counted = pulses.clone();
    let settings = Settings::default().recover(true).reset_hook(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(()))
    });
    let (modem, _module) = in_order(settings).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(600) {
        modem.attention().await.unwrap_err();
    }
    let pulses = pulses.load(Ordering::Relaxed);
    assert!((8..=10).contains(&pulses), "{pulses}");
}
