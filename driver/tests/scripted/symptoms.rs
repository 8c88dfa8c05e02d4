//! What users of comparable drivers suffer from, each by its symptom.

use std::time::Duration;

use atmq_driver::{Delivery, FinalResult, PublishError, QoS, RawCommand};

use crate::connected::{connect_with, connected};
use crate::module::{configure, line, options};

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
        module.carry_out(line, "+LMQTTPUB: 0,1,0").await;
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
        configure(&mut module).await;
        module
            .answer("AT+LMQTTOPEN=0,\"h\",1883\r", "\r\nOK\r\n")
            .await;
        module.hear_nothing(150).await;
        module.say("\r\n+LMQTTOPEN: 0,0\r\n").await;
        let connected = "+LMQTTCONN: 0,0,0";
        module.carry_out("AT+LMQTTCONN=0,\"id\"\r", connected).await;
    };
    let options = options();
    let (outcome, ()) = tokio::join!(modem.connect(options), script);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn boot_noise_does_not_jam_the_parser() {
    let (modem, mut module) = line();
    module
        .say("\0\0\u{1}^boot.rom'v'!\n\u{7f}\u{7f}garbage without an end")
        .await;
    // It is read before anything is asked.
    tokio::time::sleep(Duration::from_millis(100)).await;
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

#[tokio::test(start_paused = true)]
async fn a_subscribe_after_a_burst_of_publishes_is_answered_as_itself() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let publishes = (1..=8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.publish("t", "x", QoS::AtLeastOnce, false).await })
    });
    let publishes: Vec<_> = publishes.collect();
    tokio::task::yield_now().await;
    let script = async {
        // The outcomes come late, some behind the answer to another command.
        for id in 1..=8 {
            let line = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"x\"\r");
            let answer =
                format!("\r\n+LMQTTPUB: 0,{id},0\r\n\r\nOK\r\n\r\n+LMQTTPUB: 0,{id},0\r\n");
            module.answer(&line, &answer).await;
        }
        let answer = "\r\n+LMQTTPUB: 0,9,0\r\n\r\nOK\r\n\r\n+LMQTTSUBUNSUB: 0,8,1,6\r\n\
                      \r\n+LMQTTSUBUNSUB: 0,9,0,1\r\n";
        let line = "AT+LMQTTSUBUNSUB=0,0,9,\"t\",1\r";
        module.answer(line, answer).await;
    };
    let (subscribed, ()) = tokio::join!(client.subscribe("t", QoS::AtLeastOnce), script);
    subscribed.unwrap();
    for publish in publishes {
        assert_eq!(publish.await.unwrap(), Ok(Delivery::Acknowledged));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_read_from_the_module_is_not_truncated() {
    let (modem, mut module) = line();
    let payload = "\r\nOK\r\n\0\"".repeat(1000);
    let answer = format!(
        "\r\n+LMQTTREAD: 0,7,\"t\",{},{payload}\r\n\r\nOK\r\n",
        payload.len()
    );
    let script = async {
        connect_with(&mut module, "\"cache\",0,1").await;
        module
            .answer("AT+LMQTTREAD?\r", "\r\n+LMQTTREAD: 0,7\r\n\r\nOK\r\n")
            .await;
        module.answer("AT+LMQTTREAD=0,7\r", &answer).await;
        module.answer("AT+LMQTTREAD?\r", "\r\nOK\r\n").await;
    };
    let connecting = modem.connect(options().cached(true));
    let (connected, ()) = tokio::join!(connecting, script);
    let (_client, mut messages) = connected.unwrap();
    assert_eq!(messages.recv().await.unwrap().payload, payload.as_bytes());
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_the_buffer_does_not_end_receiving() {
    let (modem, mut module) = line();
    let (_client, mut messages) = connected(&modem, &mut module).await;
    let large = "x".repeat(100_000);
    let urc = format!("\r\n+LMQTTURC: RECV,0,1,\"t\",100000,{large}\r\n");
    module.say(&urc).await;
    module.say("\r\n+LMQTTURC: RECV,0,2,\"t\",2,hi\r\n").await;
    assert_eq!(messages.recv().await.unwrap().payload, b"hi");
    assert_eq!(modem.counters().overlong_lines, 1);
}

#[tokio::test(start_paused = true)]
async fn a_urc_is_delivered_once() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let mut lines = modem.lines();
    let urc = "\r\n+LMQTTURC: RECV,0,7,\"t\",1,a\r\n";
    // In the middle of an answer, and split where it hurts.
    let script = async {
        module.hear("AT+LMQTTCONN?\r").await;
        for piece in urc.as_bytes().chunks(3) {
            module.say(std::str::from_utf8(piece).unwrap()).await;
        }
        module.say("\r\n+LMQTTCONN: 0,3\r\n\r\nOK\r\n").await;
    };
    let (state, ()) = tokio::join!(client.state(), script);
    state.unwrap();
    assert_eq!(messages.recv().await.unwrap().message_id, 7);
    assert_eq!(messages.try_recv(), None);
    assert_eq!(lines.recv().await.unwrap(), urc.trim().as_bytes());
    module.say("\r\n+CEREG: 1\r\n").await;
    assert_eq!(lines.recv().await.unwrap(), b"+CEREG: 1");
}

#[tokio::test(start_paused = true)]
async fn recovery_has_no_dead_end() {
    let (modem, mut module) = line();
    for _ in 0..3 {
        // It is dead for a while, whatever is tried.
        for _ in 0..4 {
            modem.signal_quality().await.unwrap_err();
        }
        // What it was asked meanwhile it has heard, and answers late.
        let back = async {
            loop {
                match module.hear_line().await.as_str() {
                    "AT+CMEE?" => module.say("\r\n+CMEE: 1\r\n\r\nOK\r\n").await,
                    "AT+CSQ" => module.say("\r\n+CSQ: 9,0\r\n\r\nOK\r\n").await,
                    other => panic!("{other}"),
                }
            }
        };
        tokio::select! {
            quality = modem.signal_quality() => assert_eq!(quality.unwrap().rssi, 9),
            () = back => {}
        }
    }
    assert_eq!(modem.counters().recoveries, 3);
}

/// By hand, as programs that send AT commands do.
#[tokio::test(start_paused = true)]
async fn a_raw_command_copes_with_echo_prompt_and_a_module_that_takes_its_time() {
    let (modem, mut module) = line();
    let command = RawCommand {
        data: Some(b"a\r\nOK\r\nb".to_vec()),
        reported: true,
        ..RawCommand::new("AT+LMQTTPUB=0,5,1,0,\"t\",8")
    };
    let script = async {
        module.hear("AT+LMQTTPUB=0,5,1,0,\"t\",8\r").await;
        module.say("AT+LMQTTPUB=0,5,1,0,\"t\",8\r").await;
        tokio::time::sleep(Duration::from_secs(9)).await;
        module.say("\r\n>").await;
        module.hear("a\r\nOK\r\nb").await;
        for byte in "a\r\nOK\r\nb\r\nOK\r\n\r\n+LMQTTPUB: 0,5,0\r\n".chars() {
            tokio::time::sleep(Duration::from_millis(500)).await;
            module.say(&byte.to_string()).await;
        }
    };
    let (response, ()) = tokio::join!(modem.raw(command, None), script);
    let response = response.unwrap();
    assert_eq!(response.result, FinalResult::Ok);
    assert_eq!(response.lines, [b""; 0]);
    assert_eq!(response.report.unwrap(), b"+LMQTTPUB: 0,5,0");
}
