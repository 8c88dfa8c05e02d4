//! A command that the module has taken and not yet reported keeps nobody else waiting.

use std::time::Duration;

use crate::connected::connected;
use crate::module::{Module, OK, configure, line, line_with, options};
use atmq_driver::{
    Client, ConnectError, ConnectionId, Delivery, Disconnected, Error, ExchangeError, PublishError,
    QoS, Settings,
};

const OPEN: &str = "AT+LMQTTOPEN=0,\"h\",1883\r";
const CSQ: &str = "\r\n+CSQ: 29,0\r\n\r\nOK\r\n";

/// The exchanges of a connect on the other connection up to its OPEN, which is not reported.
async fn open_the_other(module: &mut Module) {
    module.answer("AT+LMQTTCLOSE=1\r", "\r\nERROR\r\n").await;
    for setting in [
        "\"recv/mode\",1,0,1",
        "\"send/mode\",1,0",
        "\"cache\",1,0",
        "\"urc\",1,1",
        "\"version\",1,4",
        "\"session\",1,1",
        "\"keepalive\",1,120",
    ] {
        let line = format!("AT+LMQTTCFG={setting}\r");
        module.answer(&line, OK).await;
    }
    module.answer("AT+LMQTTOPEN=1,\"h\",1883\r", OK).await;
}

async fn publish(client: &Client, payload: &str) -> Result<Delivery, PublishError> {
    client.publish("t", payload, QoS::AtLeastOnce, false).await
}

#[tokio::test(start_paused = true)]
async fn a_connect_does_not_hold_the_line_while_its_link_is_opened() {
    let (modem, mut module) = line();
    let connecting = modem.connect(options());
    let script = async {
        configure(&mut module).await;
        module.answer(OPEN, OK).await;
        let asked = modem.command("AT+CSQ");
        let (response, ()) = tokio::join!(asked, module.answer("AT+CSQ\r", CSQ));
        assert_eq!(response.unwrap().lines, [b"+CSQ: 29,0"]);
        module.hear_nothing(60).await;
        module.say("\r\n+LMQTTOPEN: 0,0\r\n").await;
        let connected = "+LMQTTCONN: 0,0,0";
        module.carry_out("AT+LMQTTCONN=0,\"id\"\r", connected).await;
    };
    let (client, ()) = tokio::join!(connecting, script);
    client.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_connection_publishes_while_a_link_is_opened() {
    let settings = Settings::default().model(atmq_protocol::dialect::lmqtt::NT35E);
    let (modem, mut module) = line_with(settings);
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        open_the_other(&mut module).await;
        for (id, payload) in [(1, "a"), (2, "b")] {
            let line = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"{payload}\"\r");
            let report = format!("+LMQTTPUB: 0,{id},0");
            let script = module.carry_out(&line, &report);
            let (delivery, ()) = tokio::join!(publish(&client, payload), script);
            assert_eq!(delivery.unwrap(), Delivery::Acknowledged);
        }
        module.say("\r\n+LMQTTOPEN: 1,0\r\n").await;
        module
            .carry_out("AT+LMQTTCONN=1,\"id\"\r", "+LMQTTCONN: 1,0,0")
            .await;
    };
    let connecting = modem.connect(options().connection(ConnectionId(1)));
    let (other, ()) = tokio::join!(connecting, script);
    other.unwrap();
}

/// The order of a connection's messages is that of its callers.
#[tokio::test(start_paused = true)]
async fn messages_of_one_connection_go_one_after_the_other() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        for (id, payload) in [(1, "a"), (2, "b"), (3, "c")] {
            let line = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"{payload}\"\r");
            module.answer(&line, OK).await;
            module.hear_nothing(5).await;
            // A raw command about the connection waits as well, others do not.
            let other = modem.command("AT+CSQ");
            let (response, ()) = tokio::join!(other, module.answer("AT+CSQ\r", CSQ));
            response.unwrap();
            module.say(&format!("\r\n+LMQTTPUB: 0,{id},0\r\n")).await;
        }
    };
    let all = async {
        tokio::join!(
            publish(&client, "a"),
            publish(&client, "b"),
            publish(&client, "c")
        )
    };
    let ((a, b, c), ()) = tokio::join!(all, script);
    for delivery in [a, b, c] {
        assert_eq!(delivery.unwrap(), Delivery::Acknowledged);
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_about_the_connection_waits_for_the_report() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module
            .answer("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"a\"\r", OK)
            .await;
        let keeping = tokio::spawn({
            let modem = modem.clone();
            async move { modem.command("AT+LMQTTCFG=\"keepalive\",0,60").await }
        });
        // One whose caller does not wait for it is not sent at all.
        let given_up = modem.command("AT+LMQTTCFG=\"keepalive\",0,90");
        tokio::time::timeout(Duration::from_secs(1), given_up)
            .await
            .unwrap_err();
        module.hear_nothing(5).await;
        module.say("\r\n+LMQTTPUB: 0,1,0\r\n").await;
        module.answer("AT+LMQTTCFG=\"keepalive\",0,60\r", OK).await;
        keeping.await.unwrap().unwrap();
        module.hear_nothing(5).await;
    };
    let (delivery, ()) = tokio::join!(publish(&client, "a"), script);
    assert_eq!(delivery.unwrap(), Delivery::Acknowledged);
}

/// What became of a message that the module has taken is not known, whatever befalls others.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_taken_may_have_arrived() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module
            .answer("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"a\"\r", OK)
            .await;
        let asked = modem.command("AT+CSQ");
        let script = async {
            module.hear("AT+CSQ\r").await;
            module.say("^boot.rom'v'!\r\n").await;
        };
        let (response, ()) = tokio::join!(asked, script);
        let error = response.unwrap_err();
        assert!(
            matches!(error, Error::Exchange(ExchangeError::Rebooted { .. })),
            "{error:?}"
        );
    };
    let (delivery, ()) = tokio::join!(publish(&client, "a"), script);
    assert!(delivery.unwrap_err().may_have_arrived());
    // One that waited behind it was not sent.
    let error = publish(&client, "b").await.unwrap_err();
    assert!(!error.may_have_arrived(), "{error:?}");
    assert_eq!(client.ended(), Some(Disconnected::Rebooted));
}

/// The module answers nobody else meanwhile: that proves nothing of the message.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_taken_outlives_the_silence_of_the_module() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module
            .answer("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"a\"\r", OK)
            .await;
        let asked = modem.command("AT+CSQ");
        let script = async {
            module.hear("AT+CSQ\r").await;
            module.hear("AT+CMEE?\r").await;
            module.say("\r\n+LMQTTPUB: 0,1,0\r\n").await;
            module.say("\r\n+CMEE: 1\r\n\r\nOK\r\n").await;
        };
        let (response, ()) = tokio::join!(asked, script);
        response.unwrap_err();
    };
    let (delivery, ()) = tokio::join!(publish(&client, "a"), script);
    assert_eq!(delivery.unwrap(), Delivery::Acknowledged);
}

/// A connect that is dropped while its link is opened runs to the end of that step, and is undone
/// then; meanwhile others have their turn.
#[tokio::test(start_paused = true)]
async fn a_dropped_connect_keeps_nobody_while_its_link_is_opened() {
    let (modem, mut module) = line();
    let taken = async {
        configure(&mut module).await;
        module.answer(OPEN, OK).await;
    };
    tokio::select! {
        outcome = modem.connect(options()) => panic!("{outcome:?}"),
        () = taken => {}
    }
    let asked = modem.command("AT+CSQ");
    let (response, ()) = tokio::join!(asked, module.answer("AT+CSQ\r", CSQ));
    response.unwrap();
    module.say("\r\n+LMQTTOPEN: 0,0\r\n").await;
    module
        .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
        .await;
    connected(&modem, &mut module).await;
}

/// A link that is never reported ends its connect in time, although others are answered.
#[tokio::test(start_paused = true)]
async fn a_link_that_is_not_reported_is_given_up_in_time() {
    let (modem, mut module) = line();
    let connecting = modem.connect(options().open_limit(Duration::from_secs(20)));
    let script = async {
        configure(&mut module).await;
        module.answer(OPEN, OK).await;
        for _ in 0..3 {
            module.hear_nothing(6).await;
            let asked = modem.command("AT+CSQ");
            let (response, ()) = tokio::join!(asked, module.answer("AT+CSQ\r", CSQ));
            response.unwrap();
        }
        module
            .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
            .await;
    };
    let (outcome, ()) = tokio::join!(connecting, script);
    let error = outcome.unwrap_err();
    assert!(
        matches!(
            error,
            ConnectError::Failed(Error::Exchange(ExchangeError::NoReport { .. }))
        ),
        "{error:?}"
    );
}

/// What the broker closes while the next command is on its way is refused by the module, and what
/// counts is why.
#[tokio::test(start_paused = true)]
async fn a_command_refused_behind_the_loss_of_its_link_fails_with_that() {
    let lost = |status| format!("\r\n+LMQTTURC: STATS,0,{status}\r\n\r\n+CME ERROR: 3\r\n");
    for (status, is_tls) in [(1, false), (14, true)] {
        let (modem, mut module) = line();
        let script = async {
            configure(&mut module).await;
            module.carry_out(OPEN, "+LMQTTOPEN: 0,0").await;
            let connect = "AT+LMQTTCONN=0,\"id\"\r";
            module.answer(connect, &lost(status)).await;
            module
                .answer("AT+LMQTTCLOSE=0\r", "\r\n+CME ERROR: 3\r\n")
                .await;
        };
        let (error, ()) = tokio::join!(modem.connect(options()), script);
        match error.expect_err("the link was lost") {
            ConnectError::Tls { .. } if is_tls => {}
            ConnectError::Failed(Error::Disconnected(Disconnected::LinkLost { .. })) if !is_tls => {
            }
            error => panic!("{error:?}"),
        }
    }
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let subscribe = "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0\r";
    let lost = lost(1);
    let script = module.answer(subscribe, &lost);
    let (error, ()) = tokio::join!(client.subscribe("t", QoS::AtMostOnce), script);
    let error = error.expect_err("the link was lost");
    assert!(matches!(error, Error::Disconnected(_)), "{error:?}");
}
