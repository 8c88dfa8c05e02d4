//! What users of comparable drivers suffer from, each by its symptom.

use std::time::Duration;

use atmq_driver::{Delivery, PublishError, QoS};

use crate::module::{connected, line};

#[tokio::test(start_paused = true)]
async fn urc_and_response_with_one_prefix_are_not_swapped() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let answer = "\r\n+LMQTTCONN: 0,0,0\r\n\r\n+LMQTTCONN: 0,3\r\n\r\nOK\r\n";
    let (state, ()) = tokio::join!(client.state(), module.answer("AT+LMQTTCONN?\r", answer));
    let state = state.unwrap();
    assert_eq!(state, Some(atmq_driver::ConnectionState::Connected));
}

#[tokio::test(start_paused = true)]
async fn no_line_is_eaten_as_echo() {
    let (modem, mut module) = line();
    let answer = "AT+X\r\r\nAT+Y\r\nAT+X\r\n\r\nOK\r\n";
    let (response, ()) = tokio::join!(modem.command("AT+X"), module.answer("AT+X\r", answer));
    assert_eq!(response.unwrap().lines, [b"AT+Y", b"AT+X"]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_after_ok_is_not_lost() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module
            .answer("AT+LMQTTSUBUNSUB=0,0,1,\"t\",0\r", "\r\nOK\r\n")
            .await;
        module.hear_nothing(20).await;
        module.say("\r\n+LMQTTSUBUNSUB: 0,1,1,7\r\n").await;
    };
    let (outcome, ()) = tokio::join!(client.subscribe("t", QoS::AtMostOnce), script);
    outcome.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_does_not_shift_all_answers_by_one() {
    let (modem, mut module) = line();
    let script = async {
        module.hear("AT+CSQ\r").await;
        module.hear("AT+CMEE?\r").await;
        module
            .say("\r\n+CSQ: 1,0\r\n\r\nOK\r\n\r\n+CMEE: 1\r\n\r\nOK\r\n")
            .await;
        module
            .answer("AT+CSQ\r", "\r\n+CSQ: 2,0\r\n\r\nOK\r\n")
            .await;
        module
            .answer("AT+CSQ\r", "\r\n+CSQ: 3,0\r\n\r\nOK\r\n")
            .await;
    };
    let questions = async {
        modem.signal_quality().await.unwrap_err();
        assert_eq!(modem.signal_quality().await.unwrap().rssi, 2);
        assert_eq!(modem.signal_quality().await.unwrap().rssi, 3);
    };
    tokio::join!(questions, script);
}

#[tokio::test(start_paused = true)]
async fn a_wedged_module_is_told_within_seconds() {
    let (modem, mut module) = line();
    let script = module.hear("AT+CSQ\r");
    let (outcome, ()) = tokio::join!(modem.signal_quality(), script);
    outcome.unwrap_err();
    let began = tokio::time::Instant::now();
    modem.signal_quality().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn a_line_feed_or_ok_in_a_payload_splits_nothing() {
    let (modem, mut module) = line();
    let (_client, mut messages) = connected(&modem, &mut module).await;
    let payload = "a\r\nOK\r\n\r\n+LMQTTURC: STATS,0,1\r\n> ";
    let length = payload.len();
    let urc = format!("\r\n+LMQTTURC: RECV,0,7,\"t\",{length},{payload}\r\n");
    let answer = format!("{urc}\r\n+CSQ: 29,0\r\n{urc}\r\nOK\r\n");
    let script = module.answer("AT+CSQ\r", &answer);
    let (quality, ()) = tokio::join!(modem.signal_quality(), script);
    assert_eq!(quality.unwrap().rssi, 29);
    for _ in 0..2 {
        let message = messages.recv().await.unwrap();
        assert_eq!(message.payload, payload.as_bytes());
        assert_eq!((&message.topic[..], message.message_id), ("t", 7));
    }
}

#[tokio::test(start_paused = true)]
async fn commas_quotes_and_semicolons_can_be_published() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let done = |id| format!("\r\nOK\r\n\r\n+LMQTTPUB: 0,{id},0\r\n");
    let script = async {
        let line = "AT+LMQTTPUB=0,1,1,0,\"a,b;c\",8,\"1,2;AT+X\"\r";
        module.answer(line, &done(1)).await;
        module
            .answer("AT+LMQTTPUB=0,2,1,0,\"t\",7\r", "\r\n> ")
            .await;
        module.answer("{\"a\":1}", &done(2)).await;
    };
    let publishes = async {
        let qos = QoS::AtLeastOnce;
        let sent = client.publish("a,b;c", "1,2;AT+X", qos, false).await;
        assert_eq!(sent, Ok(Delivery::Acknowledged));
        let sent = client.publish("t", r#"{"a":1}"#, qos, false).await;
        assert_eq!(sent, Ok(Delivery::Acknowledged));
        let sent = client.publish("t\",0,\"", "x", qos, false).await;
        assert!(matches!(sent, Err(PublishError::NotSent(_))));
    };
    tokio::join!(publishes, script);
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_times_out_does_not_leave_mqtt_stuck() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let script = async {
        module.hear("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r").await;
        module
            .answer("AT+CMEE?\r", "\r\n+CMEE: 1\r\n\r\nOK\r\n")
            .await;
        let line = "AT+LMQTTPUB=0,2,1,0,\"t\",1,\"x\"\r";
        module
            .answer(line, "\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n")
            .await;
        module.say("\r\n+LMQTTPUB: 0,2,0\r\n").await;
    };
    let publishes = async {
        let lost = client.publish("t", "x", QoS::AtLeastOnce, false).await;
        assert!(lost.unwrap_err().may_have_arrived());
        let sent = client.publish("t", "x", QoS::AtLeastOnce, false).await;
        assert_eq!(sent, Ok(Delivery::Acknowledged));
    };
    tokio::join!(publishes, script);
}

#[tokio::test(start_paused = true)]
async fn a_payload_over_the_modules_limit_is_not_sent() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let error = client
        .publish("t", vec![b'x'; 8001], QoS::AtMostOnce, false)
        .await
        .unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        source,
        "the payload has 8001 bytes, the module takes at most 8000"
    );
    module.hear_nothing(60).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_may_take_its_150_seconds() {
    let (modem, mut module) = line();
    let script = async {
        crate::module::configure(&mut module).await;
        module
            .answer("AT+LMQTTOPEN=0,\"h\",1883\r", "\r\nOK\r\n")
            .await;
        module.hear_nothing(150).await;
        module.say("\r\n+LMQTTOPEN: 0,0\r\n").await;
        let connected = "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n";
        module.answer("AT+LMQTTCONN=0,\"id\"\r", connected).await;
    };
    let options = crate::module::options();
    let (outcome, ()) = tokio::join!(modem.connect(options), script);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn boot_noise_does_not_jam_the_parser() {
    let (modem, mut module) = line();
    module
        .say("\0\0\u{1}^boot.rom'v'!\n\u{7f}\u{7f}garbage without an end")
        .await;
    let script = async {
        module
            .answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n")
            .await;
        module.answer("ATE0\r", "\r\nOK\r\n").await;
        module.answer("AT+CMEE=1\r", "\r\nOK\r\n").await;
        module
            .answer("AT+CGMM\r", "\r\nNT26-KCN\r\n\r\nOK\r\n")
            .await;
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
}
