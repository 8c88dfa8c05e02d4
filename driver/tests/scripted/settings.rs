//! Settings that a module refuses.

use std::time::Duration;

use atmq_driver::{ConnectError, Delivery, PayloadFormat, QoS, Version};

use crate::module::{Module, OK, line, options};

/// Without these the connection would not be what was asked for.
#[tokio::test(start_paused = true)]
async fn a_setting_that_is_needed_and_refused_is_named() {
    for (key, options) in [
        ("session", options()),
        ("keepalive", options().keep_alive(Duration::from_secs(60))),
        ("version", options().version(Version::V3_1)),
        ("cache", options().cached(true)),
        ("send/mode", options().payload_format(PayloadFormat::Hex)),
    ] {
        let (modem, mut module) = line();
        let script = async {
            module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
            let refused = "\r\n+CME ERROR: 3\r\n";
            refusing(&mut module, &[key], refused).await;
            module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
        };
        let (outcome, ()) = tokio::join!(modem.connect(options), script);
        assert_eq!(
            outcome.unwrap_err().to_string(),
            format!("the module answered AT+LMQTTCFG=\"{key}\" with +CME ERROR: 3")
        );
    }
}

/// What nobody asked for stops no connect: publishing needs none of it.
#[tokio::test(start_paused = true)]
async fn a_setting_that_nobody_asked_for_may_be_refused() {
    for refusal in ["\r\nERROR\r\n", "\r\n+CME ERROR: 3\r\n"] {
        let (modem, mut module) = line();
        let script = async {
            module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
            let keys = [
                "recv/mode",
                "send/mode",
                "cache",
                "urc",
                "version",
                "keepalive",
            ];
            refusing(&mut module, &keys, refusal).await;
            module
                .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", "+LMQTTOPEN: 0,0")
                .await;
            module
                .carry_out("AT+LMQTTCONN=0,\"id\"\r", "+LMQTTCONN: 0,0,0")
                .await;
            module
                .carry_out("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r", "+LMQTTPUB: 0,1,0")
                .await;
        };
        let session = async {
            let (client, _messages) = modem.connect(options()).await?;
            let published = client.publish("t", "x", QoS::AtLeastOnce, false).await;
            assert_eq!(published, Ok(Delivery::Acknowledged));
            Ok::<_, ConnectError>(())
        };
        let (outcome, ()) = tokio::join!(session, script);
        outcome.unwrap();
    }
}

/// Answers the settings of a connect: those of these keys so, and after the last of them no more
/// if a setting that is needed is refused.
async fn refusing(module: &mut Module, keys: &[&str], refusal: &str) {
    let mut last = false;
    while !last {
        let line = module.hear_line().await;
        let key = line.split('"').nth(1).expect("a setting has a key");
        let refused = keys.contains(&key);
        module.say(if refused { refusal } else { OK }).await;
        last = key == "keepalive" || refused && keys.len() == 1;
    }
}
