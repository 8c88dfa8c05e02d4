//! Connections that come back, against a module that is a script.

use std::time::Duration;

use crate::condition::{in_order, initialised_again};
use crate::connected::connect;
use crate::module::{Module, configure, line, line_with, options, within};
use atmq_driver::reconnect::{
    Outgoing, Reconnect, ReconnectingClient, Setback, State, Stopped, Undelivered, WhenFull,
};
use atmq_driver::{ConnectError, Disconnected, Error, Modem, QoS, Refusal, Settings};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);
const STATE: &str = "AT+LMQTTCONN?\r";

fn policy() -> Reconnect {
    Reconnect::default().seed(1)
}

fn message(payload: &str) -> Outgoing {
    Outgoing::new("t", payload)
}

/// A publish with quality of service 1.
async fn publish(module: &mut Module, id: u16, payload: &str, answer: &str) {
    let length = payload.len();
    let line = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",{length},\"{payload}\"\r");
    module.answer(&line, answer).await;
}

fn published(id: u16) -> String {
    format!("\r\nOK\r\n\r\n+LMQTTPUB: 0,{id},0\r\n")
}

/// A client that nobody answers.
fn silent() -> (Modem, Module, ReconnectingClient) {
    let (modem, module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy().queue(2, 1000));
    (modem, module, client)
}

#[tokio::test(start_paused = true)]
async fn after_a_loss_come_configuration_subscriptions_and_the_queue() {
    let (modem, mut module) = line();
    let (client, mut messages) = modem.keep_connected(options(), policy());
    let subscribed = client.subscribe("a/#", QoS::AtLeastOnce);
    let script = async {
        connect(&mut module).await;
        let subscribed = "+LMQTTSUBUNSUB: 0,1,0,1";
        module
            .carry_out("AT+LMQTTSUBUNSUB=0,0,1,\"a/#\",1\r", subscribed)
            .await;
    };
    let (subscribed, ()) = tokio::join!(subscribed, script);
    subscribed.unwrap();
    module.say("\r\n+LMQTTURC: STATS,0,1\r\n").await;
    let mut state = client.watch_state();
    let waiting = state.wait_for(|state| matches!(state, State::Waiting { .. }));
    let waiting = within("it waits for its next attempt", waiting);
    let waiting = waiting.await.unwrap().clone();
    let State::Waiting {
        until,
        failures: 1,
        reason: Setback::Lost(reason),
    } = waiting
    else {
        panic!("{waiting:?}");
    };
    assert_eq!(
        reason.to_string(),
        "the link was lost (closed or reset by the broker)"
    );
    assert!(until <= (Instant::now() + SECOND).into_std());
    let first = client.enqueue(message("1")).await.unwrap();
    let second = client.enqueue(message("2")).await.unwrap();
    let script = async {
        connect(&mut module).await;
        // Identifiers go on, so that nothing late is taken for a new answer.
        let subscribed = "+LMQTTSUBUNSUB: 0,2,0,1";
        module
            .carry_out("AT+LMQTTSUBUNSUB=0,0,2,\"a/#\",1\r", subscribed)
            .await;
        // What is received belongs to the same stream.
        module.say("\r\n+LMQTTURC: RECV,0,0,\"a/b\",2,hi\r\n").await;
        publish(&mut module, 3, "1", &published(3)).await;
        publish(&mut module, 4, "2", &published(4)).await;
    };
    let (first, second, ()) = tokio::join!(first, second, script);
    assert!(!first.unwrap().repeated);
    assert!(!second.unwrap().repeated);
    assert_eq!(
        within("a message, or the end", messages.recv())
            .await
            .unwrap()
            .payload,
        b"hi"
    );
    assert_eq!(client.counters().resubscriptions, 1);
}

#[tokio::test(start_paused = true)]
async fn callers_wait_for_room_in_their_order_and_may_give_up() {
    let (_modem, _module, client) = silent();
    for payload in ["1", "2"] {
        drop(client.enqueue(message(payload)).await.unwrap());
    }
    let mut waiting = Vec::new();
    for payload in ["3", "4", "5"] {
        let client = client.clone();
        let enqueue = async move { client.enqueue(message(payload)).await };
        let mut enqueue = Box::pin(enqueue);
        assert!(timeout(SECOND, &mut enqueue).await.is_err());
        waiting.push(enqueue);
    }
    assert_eq!(client.watch_queue().borrow().messages, 2);
    // The second of those who wait gives up: nothing of it is left.
    drop(waiting.remove(1));
    let left = client.disconnect(Duration::ZERO).await.unwrap();
    assert_eq!(left, 2);
    for enqueue in waiting {
        assert!(matches!(enqueue.await, Err(Undelivered::Stopped { .. })));
    }
    assert_eq!(client.counters().enqueued, 2);
    let refused = client.enqueue(message("6")).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the message was still in the queue when the connection was stopped: it was disconnected"
    );
}

#[tokio::test(start_paused = true)]
async fn room_goes_to_the_one_who_has_waited_longest() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy().queue(1, 1000));
    let enqueue = |payload: &'static str| {
        let client = client.clone();
        tokio::spawn(async move { client.enqueue(message(payload)).await?.await })
    };
    let mut tasks = Vec::new();
    for payload in ["1", "2", "3", "4"] {
        tasks.push(enqueue(payload));
        tokio::task::yield_now().await;
    }
    connect(&mut module).await;
    for (id, payload) in (1..).zip(["1", "2", "3", "4"]) {
        publish(&mut module, id, payload, &published(id)).await;
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn messages_expire_while_the_link_is_being_opened() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy());
    configure(&mut module).await;
    module.hear("AT+LMQTTOPEN=0,\"h\",1883\r").await;
    let began = Instant::now();
    let short = message("1").expire_after(5 * SECOND);
    let receipt = client.enqueue(short).await.unwrap();
    assert_eq!(
        within("the fate of the message", receipt).await,
        Err(Undelivered::Expired {
            may_have_arrived: false
        })
    );
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(client.watch_queue().borrow().messages, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_module_cannot_carry_is_refused_at_once() {
    let (modem, _module) =
        line_with(Settings::default().limits(atmq_protocol::dialect::lmqtt::NT35E.limits));
    let (client, _messages) = modem.keep_connected(options(), policy());
    for (bad, why) in [
        (
            Outgoing::new("t", vec![0; 8001]),
            "the payload has 8001 bytes, the module takes at most 8000",
        ),
        (Outgoing::new("a\"b", "x"), "topic"),
        (Outgoing::new("x".repeat(257), "x"), "257"),
    ] {
        let error = client.enqueue(bad).await.unwrap_err();
        let Undelivered::Refused {
            attempts: 0, error, ..
        } = error
        else {
            panic!("{error:?}");
        };
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(why), "{source}");
    }
    let counters = client.counters();
    assert_eq!((counters.rejected, counters.enqueued), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_is_given_up_and_the_next_one_goes() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy().attempts(2));
    let bad = client.enqueue(message("bad")).await.unwrap();
    let good = client.enqueue(message("good")).await.unwrap();
    let script = async {
        connect(&mut module).await;
        for id in 1..=2 {
            publish(&mut module, id, "bad", "\r\n+CME ERROR: 3\r\n").await;
            // Perhaps it has lost the connection without a word: it has not.
            module
                .answer(STATE, "\r\n+LMQTTCONN: 0,3\r\n\r\nOK\r\n")
                .await;
        }
        publish(&mut module, 3, "good", &published(3)).await;
    };
    let (bad, good, ()) = tokio::join!(bad, good, script);
    let bad = bad.unwrap_err();
    assert_eq!(bad.to_string(), "the message was given up after 2 attempts");
    assert!(!bad.may_have_arrived());
    assert!(!good.unwrap().repeated);
    assert_eq!(client.counters().losses, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_module_that_is_not_connected_brings_the_connection_back() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy());
    let receipt = client.enqueue(message("1")).await.unwrap();
    let script = async {
        connect(&mut module).await;
        publish(&mut module, 1, "1", "\r\n+CME ERROR: 3\r\n").await;
        module.answer(STATE, "\r\nOK\r\n").await;
        connect(&mut module).await;
        publish(&mut module, 2, "1", &published(2)).await;
    };
    let (delivered, ()) = tokio::join!(receipt, script);
    assert!(!delivered.unwrap().repeated);
    assert_eq!(client.counters().losses, 1);
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_was_not_reported_is_found_out() {
    let (modem, mut module) = line();
    let policy = policy().check_every(Some(60 * SECOND));
    let (client, _messages) = modem.keep_connected(options(), policy);
    connect(&mut module).await;
    let began = Instant::now();
    let connected = "\r\n+LMQTTCONN: 0,3\r\n\r\nOK\r\n";
    module.answer(STATE, connected).await;
    assert_eq!(began.elapsed().as_secs(), 60);
    module.answer(STATE, "\r\nOK\r\n").await;
    connect(&mut module).await;
    within("it connects", client.connected()).await.unwrap();
    assert_eq!(client.counters().losses, 1);
}

#[tokio::test(start_paused = true)]
async fn a_repetition_after_a_lost_link_is_told() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy());
    let publishing = client.publish("t", "1", QoS::AtLeastOnce, false);
    let script = async {
        connect(&mut module).await;
        let lost = "\r\nOK\r\n\r\n+LMQTTURC: STATS,0,1\r\n";
        publish(&mut module, 1, "1", lost).await;
        connect(&mut module).await;
        publish(&mut module, 2, "1", &published(2)).await;
    };
    let (delivered, ()) = tokio::join!(publishing, script);
    assert!(delivered.unwrap().repeated);
    assert_eq!(client.counters().repeated, 1);
}

#[tokio::test(start_paused = true)]
async fn bad_credentials_stop_it_with_the_reason() {
    let (modem, mut module) = line();
    let (client, mut messages) = modem.keep_connected(options(), policy());
    let receipt = client.enqueue(message("1")).await.unwrap();
    let script = async {
        configure(&mut module).await;
        let opened = "+LMQTTOPEN: 0,0";
        module
            .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", opened)
            .await;
        let refused = "+LMQTTCONN: 0,0,4";
        module.carry_out("AT+LMQTTCONN=0,\"id\"\r", refused).await;
        module
            .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
            .await;
    };
    let (stopped, ()) = tokio::join!(client.connected(), script);
    let why = Stopped::Refused(ConnectError::Refused(Refusal::BadCredentials));
    assert_eq!(stopped, Err(why.clone()));
    assert_eq!(
        within("the fate of the message", receipt).await,
        Err(Undelivered::Stopped {
            why: why.clone(),
            may_have_arrived: false
        })
    );
    assert_eq!(within("a message, or the end", messages.recv()).await, None);
    assert_eq!(messages.ended(), Some(Disconnected::NotEstablished));
    assert_eq!(client.disconnect(SECOND).await, Err(why));
    assert_eq!(
        client.subscribe("a", QoS::AtMostOnce).await,
        Err(Error::Disconnected(Disconnected::NotEstablished))
    );
    module.hear_nothing(1000).await;
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_drained_before_the_goodbye_but_not_for_ever() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy());
    let first = client.enqueue(message("1")).await.unwrap();
    let second = client.enqueue(message("2")).await.unwrap();
    let leaving = client.disconnect(10 * SECOND);
    let script = async {
        connect(&mut module).await;
        publish(&mut module, 1, "1", &published(1)).await;
        // This one is answered after the limit: it is waited for, and no other is sent.
        module.hear("AT+LMQTTPUB=0,2,1,0,\"t\",1,\"2\"\r").await;
        tokio::time::sleep(20 * SECOND).await;
        module.say(&published(2)).await;
        let gone = "+LMQTTDISC: 0,0";
        module.carry_out("AT+LMQTTDISC=0\r", gone).await;
        module
            .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
            .await;
    };
    let (left, ()) = tokio::join!(leaving, script);
    assert_eq!(left, Ok(0));
    assert!(first.await.is_ok() && second.await.is_ok());
    // A limit that passes without a connection.
    let (_modem, _module, client) = silent();
    let receipt = client.enqueue(message("1")).await.unwrap();
    let began = Instant::now();
    assert_eq!(client.disconnect(10 * SECOND).await, Ok(1));
    assert_eq!(began.elapsed().as_secs(), 10);
    assert!(matches!(
        within("the fate of the message", receipt).await,
        Err(Undelivered::Stopped { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_uses_it() {
    let (modem, mut module) = line();
    let (client, messages) = modem.keep_connected(options(), policy());
    connect(&mut module).await;
    within("it connects", client.connected()).await.unwrap();
    let receipt = client.enqueue(message("1")).await.unwrap();
    publish(&mut module, 1, "1", &published(1)).await;
    within("the fate of the message", receipt).await.unwrap();
    // Whoever reads still uses it.
    drop(client);
    module.hear_nothing(100).await;
    drop((messages, modem));
    let gone = "+LMQTTDISC: 0,0";
    module.carry_out("AT+LMQTTDISC=0\r", gone).await;
    module
        .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
        .await;
    module.hear_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_module_that_answers_nothing_is_reset_within_minutes_and_not_endlessly_fast() {
    let (modem, mut module) = line();
    let policy = policy().reset_after(2).when_full(WhenFull::DropOldest);
    let (client, _messages) = modem.keep_connected(options(), policy);
    let began = Instant::now();
    let mut heard = String::new();
    while client.counters().resets < 3 {
        heard.push_str(&module.hear_for(SECOND).await);
        assert!(began.elapsed() < 1000 * SECOND, "{heard}");
    }
    assert!(began.elapsed() > 60 * SECOND, "{:?}", began.elapsed());
    assert!(heard.matches("AT").count() < 100, "{heard}");
}

/// Each command is expected to the byte, so one too many would be heard.
#[tokio::test(start_paused = true)]
async fn a_module_that_has_started_anew_is_brought_in_order_once() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let (client, _messages) = modem.keep_connected(options(), policy());
    connect(&mut module).await;
    within("it connects", client.connected()).await.unwrap();
    for round in 1..=3 {
        module.say("^boot.rom'v'!\r\n").await;
        initialised_again(&mut module).await;
        connect(&mut module).await;
        let receipt = client.enqueue(message("1")).await.unwrap();
        publish(&mut module, round, "1", &published(round)).await;
        within("the fate of the message", receipt).await.unwrap();
        assert_eq!(modem.counters().initialisations, 1 + u64::from(round));
    }
    module.hear_nothing(100).await;
}

/// Nobody has initialised it before, so the task of its port does not by itself.
#[tokio::test(start_paused = true)]
async fn a_module_that_was_never_brought_in_order_is_once_it_has_started_anew() {
    let (modem, mut module) = line();
    let (client, _messages) = modem.keep_connected(options(), policy());
    connect(&mut module).await;
    within("it connects", client.connected()).await.unwrap();
    module.say("^boot.rom'v'!\r\n").await;
    // One probe for the fence of the start, one for that of being brought in order.
    module
        .answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n")
        .await;
    initialised_again(&mut module).await;
    connect(&mut module).await;
    while client.counters().connections < 2 {
        within("it connects", client.connected()).await.unwrap();
    }
    assert_eq!(modem.counters().initialisations, 1);
}

/// A client that promises "never twice" published such a message four times as new.
#[tokio::test(start_paused = true)]
async fn a_message_that_was_accepted_is_not_published_again_as_new() {
    let (modem, mut module) = in_order(Settings::default()).await;
    let (client, _messages) = modem.keep_connected(options(), policy());
    connect(&mut module).await;
    client.connected().await.unwrap();
    let once = message("1").qos(QoS::ExactlyOnce);
    let receipt = client.enqueue(once).await.unwrap();
    let line = "AT+LMQTTPUB=0,1,2,0,\"t\",1,\"1\"\r";
    module.answer(line, "\r\nOK\r\n\r\nERROR\r\n").await;
    let outcome = within("the fate of the message", receipt).await;
    assert!(
        matches!(outcome, Err(Undelivered::InDoubt(_))),
        "{outcome:?}"
    );
    // The connection is made anew, and nothing is published on it.
    initialised_again(&mut module).await;
    connect(&mut module).await;
    module.hear_nothing(100).await;
}
