//! Publishing, subscribing and receiving.

use std::sync::{Arc, Mutex};

use atmq_driver::{
    DataEnd, Delivery, Direction, Disconnected, Error, Limits, PayloadFormat, PublishError, QoS,
    Reason, ReasonKind, Settings,
};

use crate::connected::{connect_with, connected};
use crate::module::{OK, line, line_with, options, within};

#[tokio::test(start_paused = true)]
async fn a_message_goes_the_way_that_carries_it() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        let line = "AT+LMQTTPUB=0,0,0,1,\"t\",5,\"hello\"\r";
        module.carry_out(line, "+LMQTTPUB: 0,0,0").await;
        module
            .answer("AT+LMQTTPUB=0,1,1,0,\"t\",6\r", "\r\n> ")
            .await;
        module
            .carry_out("\"\r\n\0\u{1a}\u{1b}", "+LMQTTPUB: 0,1,0")
            .await;
        let line = "AT+LMQTTPUB=0,2,2,0,\"t\",0,\"\"\r";
        module.carry_out(line, "+LMQTTPUB: 0,2,0").await;
    };
    let publishes = async {
        let sent = client.publish("t", "hello", QoS::AtMostOnce, true).await;
        assert_eq!(sent, Ok(Delivery::Sent));
        let payload = b"\"\r\n\0\x1a\x1b";
        let sent = client.publish("t", payload, QoS::AtLeastOnce, false).await;
        assert_eq!(sent, Ok(Delivery::Acknowledged));
        let sent = client.publish("t", "", QoS::ExactlyOnce, false).await;
        assert_eq!(sent, Ok(Delivery::Acknowledged));
    };
    tokio::join!(publishes, script);
}

/// Two modules whose prompt differs, and a host that wants digits on either.
#[tokio::test(start_paused = true)]
async fn hexadecimal_digits_are_chosen_for_a_module_whose_prompt_cannot_carry_everything() {
    let ends = Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..atmq_protocol::dialect::lmqtt::NT26.limits
    };
    for (limits, format, mode) in [
        (
            atmq_protocol::dialect::lmqtt::NT26.limits,
            PayloadFormat::Automatic,
            0,
        ),
        (
            atmq_protocol::dialect::lmqtt::NT26.limits,
            PayloadFormat::Hex,
            1,
        ),
        (ends, PayloadFormat::Automatic, 1),
    ] {
        let mut model = atmq_protocol::dialect::lmqtt::NT26;
        model.limits = limits;
        let (modem, mut module) = line_with(Settings::default().model(model));
        let options = options().payload_format(format);
        let setting = format!("\"send/mode\",0,{mode}");
        let script = connect_with(&mut module, &setting);
        let (connected, ()) = tokio::join!(modem.connect(options), script);
        let (client, _messages) = connected.unwrap();
        let done = "\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n";
        let script = async {
            if mode == 0 {
                module
                    .answer("AT+LMQTTPUB=0,1,1,0,\"t\",2\r", "\r\n> ")
                    .await;
                module.answer("\u{1a}\u{1b}", done).await;
            } else {
                let line = "AT+LMQTTPUB=0,1,1,0,\"t\",4,\"1A1B\"\r";
                module.answer(line, done).await;
            }
        };
        let publish = client.publish("t", b"\x1a\x1b", QoS::AtLeastOnce, false);
        let (sent, ()) = tokio::join!(publish, script);
        assert_eq!(sent, Ok(Delivery::Acknowledged));
        if mode == 1 {
            let error = client
                .publish("t", vec![0; 4001], QoS::AtLeastOnce, false)
                .await
                .unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            let message = "the payload has 4001 bytes, the module takes at most 4000";
            assert_eq!(source, message);
            module.hear_nothing(60).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_message_is_told_as_it_is() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    for (id, answer, arrived, message) in [
        (
            1,
            "\r\nOK\r\n\r\n+LMQTTPUB: 0,1,1\r\n",
            true,
            "the message was sent, but not acknowledged as it should be",
        ),
        (
            2,
            "\r\nOK\r\n\r\n+LMQTTPUB: 0,2,2,6\r\n",
            true,
            "the module could not send the message: it could not send the packet (code 6)",
        ),
        (
            3,
            "\r\n+CME ERROR: 3\r\n",
            false,
            "the message was not sent",
        ),
        (
            4,
            "\r\nOK\r\n",
            true,
            "what came of the message is not known",
        ),
        // `OK` has accepted it: the error behind it belongs to nothing.
        (
            5,
            "\r\nOK\r\n\r\nERROR\r\n",
            true,
            "what came of the message is not known",
        ),
        (
            6,
            "\r\nOK\r\n\r\n+LMQTTPUB: 0,6,2,7\r\n",
            false,
            "the module could not send the message: it found a bad parameter (code 7)",
        ),
        (7, "", true, "what came of the message is not known"),
    ] {
        let line = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"x\"\r");
        let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
        let (outcome, ()) = tokio::join!(publish, module.answer(&line, answer));
        let error = outcome.unwrap_err();
        assert_eq!(error.may_have_arrived(), arrived, "{error}");
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_lost_during_a_publish_leaves_the_outcome_unknown() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let line = "AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r";
    let script = module.carry_out(line, "+LMQTTURC: STATS,0,1");
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (outcome, ()) = tokio::join!(publish, script);
    let Err(PublishError::Unknown(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        error.to_string(),
        "the link was lost during AT+LMQTTPUB (closed or reset by the broker)"
    );
    assert_eq!(within("a message, or the end", messages.recv()).await, None);
    let again = client.publish("t", "x", QoS::AtLeastOnce, false).await;
    assert!(matches!(
        again,
        Err(PublishError::NotSent(Error::Disconnected(
            Disconnected::LinkLost { .. }
        )))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_publish_refused_behind_the_loss_of_its_link_was_not_sent_for_that() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let line = "AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r";
    let lost = "\r\n+LMQTTURC: STATS,0,1\r\n\r\n+CME ERROR: 3\r\n";
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (outcome, ()) = tokio::join!(publish, module.answer(line, lost));
    assert!(
        matches!(outcome, Err(PublishError::NotSent(Error::Disconnected(_)))),
        "{outcome:?}"
    );
}

/// A module need not say why.
#[tokio::test(start_paused = true)]
async fn a_subscription_that_is_refused_without_a_reason_has_failed() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let (subscribe, unsubscribe) = ("AT+LMQTTSUBUNSUB=0,0", "AT+LMQTTSUBUNSUB=0,1");
    for (id, (command, report, reason)) in (1..).zip([
        (subscribe, "+LMQTTSUBUNSUB: 0,#,1", Reason::NONE),
        (subscribe, "+LMQTTSUBUNSUB: 0,#,2", Reason::NONE),
        (subscribe, "+LMQTTSUBUNSUB: 0,#,-1", Reason::NONE),
        (
            subscribe,
            "+LMQTTSUBUNSUB: 0,#,1,6",
            Reason::new(ReasonKind::NotSent, Some(6)),
        ),
        // The broker's return code, and not how many filters it has taken.
        (
            subscribe,
            "+LMQTTSUBUNSUB: 0,#,0,128",
            Reason::new(ReasonKind::Refused, Some(128)),
        ),
        (unsubscribe, "+LMQTTSUBUNSUB: 0,#,1", Reason::NONE),
        (unsubscribe, "+LMQTTUNSUNSUB: 0,#,1", Reason::NONE),
    ]) {
        let report = report.replace('#', &format!("{id}"));
        let script = async {
            let line = module.hear_line().await;
            assert!(line.starts_with(&format!("{command},{id},\"t\"")), "{line}");
            module.say(&format!("{OK}\r\n{report}\r\n")).await;
        };
        let change = async {
            match command == subscribe {
                true => client.subscribe("t", QoS::AtLeastOnce).await,
                false => client.unsubscribe("t").await,
            }
        };
        let (outcome, ()) = tokio::join!(change, script);
        let filter = "t".to_owned();
        let refused = Err(Error::Subscription { filter, reason });
        assert_eq!(outcome, refused, "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_acknowledged_or_refused() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        let line = "AT+LMQTTSUBUNSUB=0,0,1,\"a/#\",1,\"b/+/c\",0\r";
        module.carry_out(line, "+LMQTTSUBUNSUB: 0,1,0,2").await;
        let line = "AT+LMQTTSUBUNSUB=0,0,2,\"a\",2\r";
        module.carry_out(line, "+LMQTTSUBUNSUB: 0,2,1,6").await;
        let line = "AT+LMQTTSUBUNSUB=0,1,3,\"a/#\",0\r";
        module.carry_out(line, "+LMQTTUNSUNSUB: 0,3,0").await;
    };
    let subscriptions = async {
        let filters = [("a/#", QoS::AtLeastOnce), ("b/+/c", QoS::AtMostOnce)];
        client.subscribe_many(filters).await.unwrap();
        let error = client.subscribe("a", QoS::ExactlyOnce).await.unwrap_err();
        let filter = "a".to_owned();
        let reason = Reason::new(ReasonKind::NotSent, Some(6));
        assert_eq!(error, Error::Subscription { filter, reason });
        client.unsubscribe("a/#").await.unwrap();
        let error = client.subscribe("a\"", QoS::AtMostOnce).await.unwrap_err();
        assert!(matches!(error, Error::Request(_)));
    };
    tokio::join!(subscriptions, script);
}

/// Publishing and reading in one task, while more comes than may wait.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_port_back_but_not_its_own_publish() {
    let (modem, mut module) = line_with(Settings::default().message_queue(2));
    let (client, mut messages) = connected(&modem, &mut module).await;
    let message = "\r\n+LMQTTURC: RECV,0,0,\"t\",200,".to_string() + &"x".repeat(200) + "\r\n";
    // The line holds 4096 bytes, the host's piece as many: with both full it does not go on.
    let mut said = 0;
    let flood = async {
        loop {
            module.say(&message).await;
            said += 1;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, flood).await.unwrap_err();
    assert!(said < 40, "{said}");
    let script = async {
        module.finish(&message).await;
        let line = "AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r";
        module.carry_out(line, "+LMQTTPUB: 0,1,0").await;
    };
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (outcome, ()) = tokio::join!(publish, script);
    assert_eq!(outcome, Ok(Delivery::Acknowledged));
    let mut read = 0;
    while messages.try_recv().is_some() {
        read += 1;
    }
    assert_eq!(read, said + 1);
    assert_eq!(messages.missed(), 0);
    // And it goes on.
    module.say("\r\n+LMQTTURC: RECV,0,0,\"t\",2,hi\r\n").await;
    assert_eq!(
        within("a message, or the end", messages.recv())
            .await
            .unwrap()
            .payload,
        b"hi"
    );
}

/// The answer comes behind all of it, so it must be read, but not everything can be kept.
#[tokio::test(start_paused = true)]
async fn what_is_dropped_for_a_slow_reader_is_counted() {
    let (modem, mut module) = line_with(Settings::default().message_queue(2));
    let (client, mut messages) = connected(&modem, &mut module).await;
    let script = async {
        module.hear("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r").await;
        for _ in 0..300 {
            module.say("\r\n+LMQTTURC: RECV,0,0,\"t\",2,hi\r\n").await;
        }
        module.say("\r\n+LMQTTPUB: 0,1,0\r\n\r\nOK\r\n").await;
    };
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (outcome, ()) = tokio::join!(publish, script);
    assert_eq!(outcome, Ok(Delivery::Acknowledged));
    let mut read = 0;
    while messages.try_recv().is_some() {
        read += 1;
    }
    assert_eq!((read, messages.missed()), (256, 44));
    assert_eq!(modem.counters().messages_dropped, 44);
}

#[tokio::test(start_paused = true)]
async fn what_the_module_dropped_is_counted() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    module
        .say("\r\n+LMQTTURC: STATS,0,13\r\n\r\n+LMQTTURC: RECV,0,0,\"t\",0,\r\n")
        .await;
    assert_eq!(
        within("a message, or the end", messages.recv())
            .await
            .unwrap()
            .payload,
        b""
    );
    assert_eq!(messages.missed(), 1);
    assert_eq!(modem.counters().module_overflows, 1);
    assert_eq!(client.ended(), None);
}

#[tokio::test(start_paused = true)]
async fn a_tap_sees_every_byte_and_can_hide_the_secrets() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let settings = Settings::default().tap(move |tapped| {
        let shown = tapped.redacted().escape_ascii().to_string();
        sink.lock().unwrap().push((tapped.direction, shown));
    });
    let (modem, mut module) = line_with(settings);
    let line = "AT+LMQTTCONN=0,\"id\",\"u\",\"secret\"";
    let heard = format!("{line}\r");
    let script = module.answer(&heard, "\r\nERROR\r\n");
    let (outcome, ()) = tokio::join!(modem.command(line), script);
    outcome.unwrap();
    let seen = seen.lock().unwrap();
    let expected = [
        (
            Direction::HostToModule,
            r#"AT+LMQTTCONN=0,\"id\",\"u\",\"***\"\r"#.to_string(),
        ),
        (Direction::ModuleToHost, r"\r\nERROR\r\n".to_string()),
    ];
    assert_eq!(*seen, expected);
}
