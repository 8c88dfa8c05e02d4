//! Messages that wait in the module until they are read.

use atmq_driver::{Client, Delivery, Messages, Modem, QoS, Settings};

use crate::connected::connect_with;
use crate::module::{Module, line_with, options, within};

/// A client in cached mode; `waiting` is what the module lists when it is connected.
async fn cached(queue: usize, waiting: &str) -> (Modem, Client, Messages, Module) {
    let (modem, mut module) = line_with(Settings::default().message_queue(queue));
    let script = async {
        connect_with(&mut module, "\"cache\",0,1").await;
        let listed = format!("{waiting}\r\nOK\r\n");
        module.answer("AT+LMQTTREAD?\r", &listed).await;
    };
    let options = options().cached(true);
    let (connected, ()) = tokio::join!(modem.connect(options), script);
    let (client, messages) = connected.unwrap();
    (modem, client, messages, module)
}

/// The module is asked for a message, and has it.
async fn read(module: &mut Module, id: u16, payload: &str) {
    let length = payload.len();
    let line = format!("AT+LMQTTREAD=0,{id}\r");
    let answer = format!("\r\n+LMQTTREAD: 0,{id},\"t\",{length},{payload}\r\n\r\nOK\r\n");
    module.answer(&line, &answer).await;
}

async fn next(messages: &mut Messages) -> (u16, String) {
    let message = within("a message comes", messages.recv()).await;
    let message = message.expect("it is still connected");
    let payload = String::from_utf8(message.payload).unwrap();
    (message.message_id, payload)
}

#[tokio::test(start_paused = true)]
async fn messages_are_read_as_they_come_in_their_order() {
    let (modem, _client, mut messages, mut module) = cached(8, "").await;
    module
        .say("\r\n+LMQTTURC: RECV,0,7\r\n\r\n+LMQTTURC: RECV,0,0\r\n")
        .await;
    module.say("\r\n+LMQTTURC: RECV,0,0\r\n").await;
    read(&mut module, 7, "a\r\nOK\r\n+LMQTTURC: STATS,0,1").await;
    read(&mut module, 0, "b").await;
    read(&mut module, 0, "").await;
    let payload = "a\r\nOK\r\n+LMQTTURC: STATS,0,1";
    assert_eq!(next(&mut messages).await, (7, payload.into()));
    assert_eq!(next(&mut messages).await, (0, "b".into()));
    assert_eq!(next(&mut messages).await, (0, "".into()));
    let counters = modem.counters();
    assert_eq!((counters.reads, counters.messages), (3, 3));
    module.hear_nothing(60).await;
}

/// Of a persistent session, say. It is listed until nothing is left.
#[tokio::test(start_paused = true)]
async fn what_waited_when_the_connection_was_made_is_read() {
    let listed = "\r\n+LMQTTURC: RECV,0,4\r\n\r\n+LMQTTREAD: 0,4,0\r\n\r\n+LMQTTREAD: 3,9\r\n";
    let (_modem, _client, mut messages, mut module) = cached(8, listed).await;
    // A second one without identifier has come behind the list.
    read(&mut module, 4, "a").await;
    read(&mut module, 0, "b").await;
    // It was announced as well, perhaps behind the list.
    module.answer("AT+LMQTTREAD=0,4\r", "\r\nOK\r\n").await;
    module
        .answer("AT+LMQTTREAD?\r", "\r\n+LMQTTREAD: 0,0\r\n\r\nOK\r\n")
        .await;
    read(&mut module, 0, "c").await;
    module.answer("AT+LMQTTREAD?\r", "\r\nOK\r\n").await;
    for expected in [(4, "a"), (0, "b"), (0, "c")] {
        let (id, payload) = next(&mut messages).await;
        assert_eq!((id, &payload[..]), expected);
    }
    module.hear_nothing(60).await;
}

#[tokio::test(start_paused = true)]
async fn neither_callers_nor_the_cache_keep_the_other_waiting() {
    let (_modem, client, mut messages, mut module) = cached(64, "").await;
    let calls = (1..=3).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.publish("t", "x", QoS::AtLeastOnce, false).await })
    });
    let calls: Vec<_> = calls.collect();
    let publish = |id| format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"x\"\r");
    let done = |id| format!("\r\nOK\r\n\r\n+LMQTTPUB: 0,{id},0\r\n");
    module.hear(&publish(1)).await;
    let urcs: String = (11..=14)
        .map(|id| format!("\r\n+LMQTTURC: RECV,0,{id}\r\n"))
        .collect();
    module.say(&urcs).await;
    module.say(&done(1)).await;
    read(&mut module, 11, "a").await;
    module.answer(&publish(2), &done(2)).await;
    read(&mut module, 12, "b").await;
    module.answer(&publish(3), &done(3)).await;
    read(&mut module, 13, "c").await;
    read(&mut module, 14, "d").await;
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(Delivery::Acknowledged));
    }
    for id in 11..=14 {
        assert_eq!(next(&mut messages).await.0, id);
    }
}

/// What does not fit into the program stays in the module, and what does not fit there is told.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_leaves_messages_in_the_module() {
    let (modem, client, mut messages, mut module) = cached(2, "").await;
    for id in 1..=5 {
        module.say(&format!("\r\n+LMQTTURC: RECV,0,{id}\r\n")).await;
    }
    read(&mut module, 1, "a").await;
    read(&mut module, 2, "b").await;
    module.hear_nothing(60).await;
    // The port is still read.
    module.say("\r\n+LMQTTURC: STATS,0,13\r\n").await;
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let script = module.carry_out("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r", "+LMQTTPUB: 0,1,0");
    let (sent, ()) = tokio::join!(publish, script);
    assert_eq!(sent, Ok(Delivery::Acknowledged));
    assert_eq!(messages.missed(), 1);
    assert_eq!(modem.counters().module_overflows, 1);
    assert_eq!(next(&mut messages).await.0, 1);
    read(&mut module, 3, "c").await;
    module.hear_nothing(60).await;
    for id in [2, 3] {
        assert_eq!(next(&mut messages).await.0, id);
    }
    read(&mut module, 4, "d").await;
    read(&mut module, 5, "e").await;
    assert_eq!(modem.counters().messages_dropped, 0);
    // Nobody wants any more of them: they stay where they are.
    drop(messages);
    module.say("\r\n+LMQTTURC: RECV,0,6\r\n").await;
    module.hear_nothing(60).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_there_any_more_stops_nothing() {
    let (_modem, _client, mut messages, mut module) = cached(8, "").await;
    for id in 1..=3 {
        module.say(&format!("\r\n+LMQTTURC: RECV,0,{id}\r\n")).await;
    }
    module.answer("AT+LMQTTREAD=0,1\r", "\r\nOK\r\n").await;
    module
        .answer("AT+LMQTTREAD=0,2\r", "\r\n+CME ERROR: 3\r\n")
        .await;
    read(&mut module, 3, "c").await;
    assert_eq!(next(&mut messages).await, (3, "c".into()));
}

/// The answer got lost, or the module was busy.
#[tokio::test(start_paused = true)]
async fn a_message_that_could_not_be_read_is_asked_for_again_but_not_forever() {
    let (_modem, _client, mut messages, mut module) = cached(8, "").await;
    module
        .say("\r\n+LMQTTURC: RECV,0,1\r\n\r\n+LMQTTURC: RECV,0,2\r\n")
        .await;
    let probed = "\r\n+CMEE: 1\r\n\r\nOK\r\n";
    module.hear("AT+LMQTTREAD=0,1\r").await;
    module.answer("AT+CMEE?\r", probed).await;
    read(&mut module, 1, "a").await;
    for _ in 0..3 {
        module.hear("AT+LMQTTREAD=0,2\r").await;
        module.answer("AT+CMEE?\r", probed).await;
    }
    module.hear_nothing(60).await;
    assert_eq!(next(&mut messages).await, (1, "a".into()));
    module.say("\r\n+LMQTTURC: RECV,0,3\r\n").await;
    read(&mut module, 3, "c").await;
    assert_eq!(next(&mut messages).await, (3, "c".into()));
}

/// A module that lists what it does not have must not be asked forever.
#[tokio::test(start_paused = true)]
async fn a_list_of_messages_that_are_not_there_is_asked_for_once() {
    let (_modem, _client, _messages, mut module) = cached(8, "\r\n+LMQTTREAD: 0,5\r\n").await;
    module.answer("AT+LMQTTREAD=0,5\r", "\r\nOK\r\n").await;
    module.hear_nothing(60).await;
}

/// More than is remembered: the module is asked for the rest.
#[tokio::test(start_paused = true)]
async fn a_flood_of_announcements_is_bounded() {
    let (modem, _client, mut messages, mut module) = cached(4, "").await;
    for _ in 0..10_000 {
        module.say("\r\n+LMQTTURC: RECV,0,1\r\n").await;
    }
    module.answer("AT+LMQTTREAD=0,1\r", "\r\nOK\r\n").await;
    module
        .answer("AT+LMQTTREAD?\r", "\r\n+LMQTTREAD: 0,1\r\n\r\nOK\r\n")
        .await;
    read(&mut module, 1, "a").await;
    module.answer("AT+LMQTTREAD?\r", "\r\nOK\r\n").await;
    assert_eq!(next(&mut messages).await, (1, "a".into()));
    assert_eq!(modem.counters().urcs, 10_000 + 2);
}
