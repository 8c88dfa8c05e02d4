//! A connect that its caller drops is undone, before anybody else's turn.

use crate::connected::connected;
use crate::module::{Module, OK, configure, line, options};
use atmq_driver::Modem;

const OPEN: &str = "AT+LMQTTOPEN=0,\"h\",1883\r";
const OPENED: &str = "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n";
const CONNECT: &str = "AT+LMQTTCONN=0,\"id\"\r";
const CLOSED: &str = "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n";
const PROBED: &str = "\r\n+CMEE: 1\r\n\r\nOK\r\n";

/// Connects, and gives that up when the module has heard so much.
async fn dropped_at(modem: &Modem, heard: impl Future<Output = ()>) {
    tokio::select! {
        outcome = modem.connect(options()) => panic!("{outcome:?}"),
        () = heard => {}
    }
}

/// A caller comes, and what the module hears and says ends with its command.
async fn then_another(modem: &Modem, module: &mut Module, script: &[(&str, &str)]) {
    let script = async {
        for (heard, said) in script {
            module.answer(heard, said).await;
        }
        module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
    };
    let (response, ()) = tokio::join!(modem.command("AT+CGMM"), script);
    assert_eq!(response.unwrap().lines, [b"NT35E"]);
}

#[tokio::test(start_paused = true)]
async fn among_the_settings_the_connection_is_closed() {
    let (modem, mut module) = line();
    let heard = async {
        module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
        module.hear("AT+LMQTTCFG=\"recv/mode\",0,0,1\r").await;
    };
    dropped_at(&modem, heard).await;
    let script = [("", OK), ("AT+LMQTTCLOSE=0\r", CLOSED)];
    then_another(&modem, &mut module, &script).await;
    connected(&modem, &mut module).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_opened_meanwhile_is_closed() {
    let (modem, mut module) = line();
    let heard = async {
        configure(&mut module).await;
        module.hear(OPEN).await;
    };
    dropped_at(&modem, heard).await;
    let script = [("", OPENED), ("AT+LMQTTCLOSE=0\r", CLOSED)];
    then_another(&modem, &mut module, &script).await;
    connected(&modem, &mut module).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_accepted_meanwhile_is_disconnected() {
    for (outcome, accepted) in [("0,0,0", true), ("0,0,4", false)] {
        let (modem, mut module) = line();
        let heard = async {
            configure(&mut module).await;
            module.answer(OPEN, OPENED).await;
            module.hear(CONNECT).await;
        };
        dropped_at(&modem, heard).await;
        let outcome = format!("{OK}\r\n+LMQTTCONN: {outcome}\r\n");
        let mut script = vec![("", &*outcome)];
        if accepted {
            let left = "\r\nOK\r\n\r\n+LMQTTDISC: 0,0\r\n";
            script.push(("AT+LMQTTDISC=0\r", left));
        }
        script.push(("AT+LMQTTCLOSE=0\r", CLOSED));
        then_another(&modem, &mut module, &script).await;
        connected(&modem, &mut module).await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_undone_behind_the_fence() {
    let (modem, mut module) = line();
    let heard = async {
        configure(&mut module).await;
        module.hear(OPEN).await;
    };
    dropped_at(&modem, heard).await;
    // The open is never answered.
    let script = [("AT+CMEE?\r", PROBED), ("AT+LMQTTCLOSE=0\r", CLOSED)];
    then_another(&modem, &mut module, &script).await;
}

/// The next connect begins with the release anyway.
#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_keeps_nobody_else() {
    let (modem, mut module) = line();
    let heard = async {
        configure(&mut module).await;
        module.hear(OPEN).await;
    };
    dropped_at(&modem, heard).await;
    let script = [
        ("", OPENED),
        ("AT+LMQTTCLOSE=0\r", ""),
        ("AT+CMEE?\r", PROBED),
    ];
    then_another(&modem, &mut module, &script).await;
    connected(&modem, &mut module).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_there_is_nothing_to_undo() {
    for said in ["", OPENED] {
        let (modem, mut module) = line();
        let heard = async {
            configure(&mut module).await;
            module.hear(OPEN).await;
        };
        dropped_at(&modem, heard).await;
        if !said.is_empty() {
            // It reboots while it is undone.
            module.say(said).await;
            module.hear("AT+LMQTTCLOSE=0\r").await;
        }
        module.say("^boot.rom'v'!\r\n").await;
        let script = [("AT+CMEE?\r", PROBED)];
        then_another(&modem, &mut module, &script).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_begun_is_not_sent() {
    let (modem, mut module) = line();
    let busy = tokio::spawn({
        let modem = modem.clone();
        async move { modem.command("AT+CSQ").await }
    });
    module.hear("AT+CSQ\r").await;
    dropped_at(&modem, tokio::task::yield_now()).await;
    module.say("\r\n+CSQ: 29,0\r\n\r\nOK\r\n").await;
    busy.await.unwrap().unwrap();
    then_another(&modem, &mut module, &[]).await;
    connected(&modem, &mut module).await;
}

/// While a link is opened others have their turn between the steps, and do not lose it.
#[tokio::test(start_paused = true)]
async fn a_connect_does_not_keep_the_line() {
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
        module.hear("AT+LMQTTCFG=\"recv/mode\",0,0,1\r").await;
        let other = tokio::spawn({
            let modem = modem.clone();
            async move { modem.command("AT+CGMM").await }
        });
        tokio::task::yield_now().await;
        module.say(OK).await;
        module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
        other.await.unwrap().unwrap();
        module.hear("AT+LMQTTCFG=\"send/mode\",0,0\r").await;
    };
    dropped_at(&modem, script).await;
}
