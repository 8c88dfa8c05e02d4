//! Topics and filters, against a module that is a script: what is none is not sent, and what is
//! refused is named.

use crate::connected::connected;
use crate::module::{line, options};
use atmq_driver::reconnect::{Outgoing, Reconnect, Undelivered};
use atmq_driver::{ConnectError, Error, PublishError, QoS, RequestError, Will};

/// No broker takes these.
const NO_FILTERS: [&str; 7] = ["", "a/#/b", "a#", "+x", "a\0b", "$share/g", "$share/+/a"];
const NO_TOPICS: [&str; 4] = ["", "a/+", "#", "a\0b"];

/// Which field is none.
fn field(error: &Error) -> Option<&'static str> {
    match error {
        Error::Request(RequestError::Topic { field, .. }) => Some(field),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_topic_or_filter_is_refused_before_it_is_sent() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    for filter in NO_FILTERS {
        let subscribed = client.subscribe(filter, QoS::AtMostOnce).await;
        let unsubscribed = client.unsubscribe(filter).await;
        for error in [subscribed, unsubscribed].map(Result::unwrap_err) {
            assert_eq!(field(&error), Some("the topic filter"), "{filter}: {error}");
        }
    }
    for topic in NO_TOPICS {
        let published = client.publish(topic, "x", QoS::AtLeastOnce, false).await;
        match published.unwrap_err() {
            PublishError::NotSent(error) => assert_eq!(field(&error), Some("the topic"), "{topic}"),
            other => panic!("{topic}: {other}"),
        }
    }
    let error = client
        .subscribe("a/#/b", QoS::AtMostOnce)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the topic filter holds # at byte 2, which must be the last level"
    );
    // None of it has used up a message id, or a byte of the line.
    let script = module.carry_out(
        "AT+LMQTTSUBUNSUB=0,0,1,\"$share/g/a/+\",0\r",
        "+LMQTTSUBUNSUB: 0,1,0,1",
    );
    let (subscribed, ()) = tokio::join!(client.subscribe("$share/g/a/+", QoS::AtMostOnce), script);
    subscribed.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_will_without_a_topic_costs_no_connection() {
    let (modem, _module) = line();
    for topic in NO_TOPICS {
        let will = Will {
            qos: QoS::AtMostOnce,
            retain: false,
            topic: topic.into(),
            payload: b"off".into(),
        };
        match modem.connect(options().will(will)).await {
            Err(ConnectError::Failed(error)) => assert_eq!(field(&error), Some("the will topic")),
            other => panic!("{topic}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_comes_back_is_not_asked_for_what_is_none() {
    let (modem, _module) = line();
    // Nobody answers, and nothing of it waits for that.
    let (client, _messages) = modem.keep_connected(options(), Reconnect::default());
    for filter in NO_FILTERS {
        let error = client.subscribe(filter, QoS::AtMostOnce).await.unwrap_err();
        assert_eq!(field(&error), Some("the topic filter"), "{filter}");
        let error = client.unsubscribe(filter).await.unwrap_err();
        assert_eq!(field(&error), Some("the topic filter"), "{filter}");
    }
    for topic in NO_TOPICS {
        match client.enqueue(Outgoing::new(topic, "x")).await {
            Err(Undelivered::Refused {
                attempts: 0,
                error: PublishError::NotSent(error),
                ..
            }) => assert_eq!(field(&error), Some("the topic"), "{topic}"),
            other => panic!("{topic}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_filter_and_says_whose_it_is() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    for (id, result, words) in [
        (1, "1", "the broker refused the subscription (`a/b`)"),
        (
            2,
            "1,128",
            "the broker refused the subscription (code 128) (`a/b`)",
        ),
        (
            3,
            "1,6",
            "the module did not change the subscription: it could not send the packet (code 6) (`a/b`)",
        ),
    ] {
        let line = format!("AT+LMQTTSUBUNSUB=0,0,{id},\"a/b\",0\r");
        let report = format!("+LMQTTSUBUNSUB: 0,{id},{result}");
        let script = module.carry_out(&line, &report);
        let (refused, ()) = tokio::join!(client.subscribe("a/b", QoS::AtMostOnce), script);
        assert_eq!(refused.unwrap_err().to_string(), words);
    }
}
