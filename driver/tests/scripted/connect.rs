//! Opening, initialising, connecting and disconnecting, against a module that is a script.

use std::time::Duration;

use crate::connected::connected;
use crate::module::{Module, OK, configure, line, line_with, options};
use atmq_driver::cloud::aliyun::Device;
use atmq_driver::{
    ConnectError, ConnectOptions, ConnectionId, Disconnected, Error, ExchangeError, QoS, Settings,
    SimStatus, Will,
};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::mqtt::{LinkStatus, OpenFailure, Reason, ReasonKind, Refusal};

#[tokio::test(start_paused = true)]
async fn a_module_that_wakes_up_late_is_initialised() {
    let (modem, mut module) = line();
    let script = async {
        module.hear("AT\r").await;
        // It may be waiting for data of an earlier program.
        module.hear_nothing(34).await;
        module.hear("AT+CMEE?\r").await;
        module
            .answer("AT+CMEE?\r", "\0\u{1}noise\r\n\r\n+CMEE: 0\r\n\r\nOK\r\n")
            .await;
        module.answer("ATE0\r", "ATE0\r\r\nOK\r\n").await;
        module.answer("AT+CMEE=1\r", "\r\nOK\r\n").await;
        module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
    };
    let (initialised, ()) = tokio::join!(modem.initialise(), script);
    initialised.unwrap();
    // An NT35E has five connections.
    let options = options().connection(ConnectionId(4));
    let script = module.answer("AT+LMQTTCLOSE=4\r", "\r\nOK\r\n");
    tokio::select! {
        error = modem.connect(options) => panic!("{error:?}"),
        () = script => {}
    }
}

/// It answers every question about its errors with `ERROR`, or with `OK` alone.
#[tokio::test(start_paused = true)]
async fn a_module_that_knows_no_error_reports_is_initialised_within_a_second() {
    for answer in ["\r\nERROR\r\n", "\r\nOK\r\n"] {
        let (modem, mut module) = line();
        let began = tokio::time::Instant::now();
        let script = async {
            module.answer("AT\r", "\r\nOK\r\n").await;
            module.answer("AT+CMEE?\r", answer).await;
            module.answer("AT+CMEE?\r", answer).await;
            module.answer("ATE0\r", "\r\nOK\r\n").await;
            module.answer("AT+CMEE=1\r", answer).await;
            module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
        };
        let (initialised, ()) = tokio::join!(modem.initialise(), script);
        initialised.unwrap();
        assert!(began.elapsed() < Duration::from_secs(1), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_never_answers_is_told_as_such() {
    let (modem, _module) = line();
    let began = tokio::time::Instant::now();
    let error = modem.initialise().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the module did not answer 5 probes, so ATE0 was not sent"
    );
    assert!(began.elapsed() < Duration::from_secs(51));
    // One that was just reset has no old data to wait for.
    let (modem, _module) = line_with(Settings::default().fresh(true));
    let began = tokio::time::Instant::now();
    modem.initialise().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(16));
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_closes_the_link() {
    let (modem, mut module) = line();
    let script = async {
        configure(&mut module).await;
        module
            .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", "+LMQTTOPEN: 0,0")
            .await;
        // The result is 0, and yet it is a refusal.
        module
            .carry_out("AT+LMQTTCONN=0,\"id\"\r", "+LMQTTCONN: 0,0,4")
            .await;
        module
            .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
            .await;
    };
    let (outcome, ()) = tokio::join!(modem.connect(options()), script);
    let error = outcome.unwrap_err();
    assert_eq!(error, ConnectError::Refused(Refusal::BadCredentials));
    assert_eq!(
        error.to_string(),
        "the broker refused the client: bad user name or password (code 4)"
    );
    // The connection is free again.
    connected(&modem, &mut module).await;
}

/// The link is open, and CONNECT is on its way.
async fn connecting(module: &mut Module) {
    configure(module).await;
    let opened = "+LMQTTOPEN: 0,0";
    module
        .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", opened)
        .await;
    module.answer("AT+LMQTTCONN=0,\"id\"\r", OK).await;
}

/// That the packet was sent again is no outcome: the broker may be slow.
#[tokio::test(start_paused = true)]
async fn a_repeated_connect_is_waited_for_until_its_outcome() {
    for (outcome, expected) in [
        ("0,0,0", None),
        ("0,0,5", Some(ConnectError::Refused(Refusal::NotAuthorized))),
        (
            "0,2,6",
            Some(ConnectError::NotAccepted {
                reason: Reason::new(ReasonKind::NotSent, Some(6)),
            }),
        ),
    ] {
        let (modem, mut module) = line();
        let script = async {
            connecting(&mut module).await;
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_secs(5)).await;
                module.say("\r\n+LMQTTCONN: 0,1\r\n").await;
            }
            module.hear_nothing(5).await;
            module.say(&format!("\r\n+LMQTTCONN: {outcome}\r\n")).await;
            if expected.is_some() {
                module
                    .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
                    .await;
            }
        };
        let (connected, ()) = tokio::join!(modem.connect(options()), script);
        assert_eq!(connected.err(), expected, "{outcome}");
    }
}

/// Where no outcome follows, the state tells what came of it.
#[tokio::test(start_paused = true)]
async fn a_repeated_connect_without_an_outcome_is_judged_by_the_state() {
    for (state, connected) in [(3, true), (2, false)] {
        let (modem, mut module) = line();
        let script = async {
            connecting(&mut module).await;
            module.say("\r\n+LMQTTCONN: 0,1\r\n").await;
            module.hear_nothing(29).await;
            let state = format!("\r\n+LMQTTCONN: 0,{state}\r\n\r\nOK\r\n");
            module.answer("AT+LMQTTCONN?\r", &state).await;
            if !connected {
                module
                    .carry_out("AT+LMQTTCLOSE=0\r", "+LMQTTCLOSE: 0,0")
                    .await;
            }
        };
        let (outcome, ()) = tokio::join!(modem.connect(options()), script);
        assert_eq!(outcome.is_ok(), connected);
        if let Err(error) = outcome {
            assert_eq!(
                error.to_string(),
                "the module took AT+LMQTTCONN and reported that it sent the packet again, but \
                 reported no outcome within 30 s"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_resolved_is_named() {
    let (modem, mut module) = line();
    let script = async {
        configure(&mut module).await;
        module
            .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", "+LMQTTOPEN: 0,-1,4")
            .await;
        module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
    };
    let (outcome, ()) = tokio::join!(modem.connect(options()), script);
    let error = outcome.unwrap_err();
    assert!(matches!(
        error,
        ConnectError::Open {
            failure: OpenFailure::Dns,
            ..
        }
    ));
    assert_eq!(
        error.to_string(),
        "the module could not open the link to h:1883: the host name cannot be resolved"
    );
}

/// Firmware without the key reports all the same.
#[tokio::test(start_paused = true)]
async fn settings_that_only_some_firmware_has_may_be_refused() {
    let (modem, mut module) = line();
    let options = ConnectOptions::new("h", 1883, "NT35E")
        .keep_alive(Duration::from_secs(60))
        .clean_session(false)
        .will(Will {
            topic: "t/x".into(),
            payload: b"off".into(),
            qos: QoS::AtLeastOnce,
            retain: false,
        })
        .tls_context(1)
        .aliauth(Device::new("pk", "dn"), "ds");
    let script = async {
        let (ok, error) = ("\r\nOK\r\n", "\r\nERROR\r\n");
        for (line, answer) in [
            ("AT+LMQTTCLOSE=0\r", "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,1,6\r\n"),
            ("AT+LMQTTCFG=\"recv/mode\",0,0,1\r", ok),
            ("AT+LMQTTCFG=\"send/mode\",0,0\r", error),
            ("AT+LMQTTCFG=\"cache\",0,0\r", error),
            ("AT+LMQTTCFG=\"urc\",0,1\r", error),
            ("AT+LMQTTCFG=\"version\",0,4\r", ok),
            ("AT+LMQTTCFG=\"session\",0,0\r", ok),
            ("AT+LMQTTCFG=\"keepalive\",0,60\r", ok),
            ("AT+LMQTTCFG=\"will\",0,1,1,0,\"t/x\",\"off\"\r", ok),
            ("AT+LMQTTCFG=\"sslenable\",0,1,1\r", ok),
            ("AT+LMQTTCFG=\"cloud\",0,2,1\r", ok),
            ("AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"ds\"\r", ok),
            (
                "AT+LMQTTOPEN=0,\"h\",1883\r",
                "\r\n+LMQTTOPEN: 0,0\r\n\r\nOK\r\n",
            ),
            (
                "AT+LMQTTCONN=0,\"NT35E\"\r",
                "\r\n+LMQTTCONN: 0,0,0\r\n\r\nOK\r\n",
            ),
        ] {
            module.answer(line, answer).await;
        }
    };
    let (outcome, ()) = tokio::join!(modem.connect(options), script);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_no_command_can_carry_is_refused_before_anything_is_sent() {
    let (modem, mut module) = line();
    for (options, message) in [
        (
            ConnectOptions::new("h", 1883, "id\"\r\nAT+CFUN=0"),
            "the client id holds '\"' at byte 2, which no AT command can carry there",
        ),
        (
            ConnectOptions::new("h", 0, "id"),
            "the port is 0, the module takes 1 to 65535",
        ),
        (
            options().connection(ConnectionId(1)),
            "the connection id is 1, the module takes 0 to 0",
        ),
        (
            options().keep_alive(Duration::from_secs(4000)),
            "the keepalive is 4000, the module takes 0 to 3600",
        ),
    ] {
        let error = modem.connect(options).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    module.hear_nothing(60).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_has_one_client() {
    let (modem, mut module) =
        line_with(Settings::default().limits(atmq_protocol::dialect::lmqtt::NT35E.limits));
    let (client, messages) = connected(&modem, &mut module).await;
    let error = modem.connect(options()).await.unwrap_err();
    assert_eq!(error, ConnectError::Occupied(ConnectionId(0)));
    drop((client, messages));
    connected(&modem, &mut module).await;
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_goes_on_when_its_caller_has_gone() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let heard = async {
        module.hear("AT+LMQTTDISC=0\r").await;
    };
    tokio::select! {
        _ = client.disconnect() => panic!("nothing was answered"),
        () = heard => {}
    }
    module.say("\r\nOK\r\n\r\n+LMQTTDISC: 0,0\r\n").await;
    module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
    assert_eq!(messages.recv().await, None);
    assert_eq!(messages.ended(), Some(Disconnected::Requested));
    let error = Error::Disconnected(Disconnected::Requested);
    assert_eq!(client.disconnect().await, Err(error));
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_is_told_to_everyone() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    module
        .say("\r\n+LMQTTURC: RECV,0,0,\"t\",2,hi\r\n\r\n+LMQTTURC: STATS,0,1\r\n")
        .await;
    assert_eq!(messages.recv().await.unwrap().payload, b"hi");
    assert_eq!(messages.recv().await, None);
    let reason = Disconnected::LinkLost {
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    assert_eq!(messages.ended(), Some(reason.clone()));
    let error = client.subscribe("t", QoS::AtMostOnce).await.unwrap_err();
    assert_eq!(error, Error::Disconnected(reason));
    assert_eq!(
        error.to_string(),
        "not connected: the link was lost (closed or reset by the broker)"
    );
    module.hear_nothing(60).await;
}

#[tokio::test(start_paused = true)]
async fn a_reboot_ends_the_connection() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    module.say("^boot.rom'v'!\n").await;
    assert_eq!(messages.recv().await, None);
    assert_eq!(client.ended(), Some(Disconnected::Rebooted));
    module
        .answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n")
        .await;
    // It can be used again.
    connected(&modem, &mut module).await;
    assert_eq!(modem.counters().reboots, 1);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_goes_away_ends_everything() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let gone = async {
        module.hear("AT+CSQ\r").await;
        drop(module);
    };
    let (outcome, ()) = tokio::join!(modem.signal_quality(), gone);
    assert!(matches!(outcome, Err(Error::PortClosed(_))));
    assert_eq!(messages.recv().await, None);
    assert!(matches!(client.ended(), Some(Disconnected::PortClosed(_))));
    let error = modem.attention().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the port is closed: the device or peer has closed it"
    );
}

#[tokio::test(start_paused = true)]
async fn the_port_is_closed_with_the_last_handle() {
    let (modem, mut module) = line();
    let (client, messages) = connected(&modem, &mut module).await;
    drop(modem);
    drop(client);
    module.say("\r\n+LMQTTURC: STATS,0,13\r\n").await;
    assert_eq!(messages.ended(), None);
    drop(messages);
    module.hear_end().await;
}

#[tokio::test(start_paused = true)]
async fn questions_have_typed_answers() {
    let (modem, mut module) = line();
    let script = async {
        for (line, answer) in [
            ("AT+CGMI\r", "\r\nLierda\r\n\r\nOK\r\n"),
            ("AT+CGMM\r", "\r\nNT26-KCN\r\n\r\nOK\r\n"),
            ("AT+CGMR\r", "\r\n+CME ERROR: 4\r\n"),
            (
                "AT+CGSN=1\r",
                "\r\n+CGSN: \"866901012345678\"\r\n\r\nOK\r\n",
            ),
            (
                "AT+LCCID\r",
                "\r\n+LCCID: 89860012345678901234\r\n\r\nOK\r\n",
            ),
            ("AT+CIMI\r", "\r\n+CME ERROR: 11\r\n"),
            ("AT+CPIN?\r", "\r\n+CME ERROR: 10\r\n"),
            ("AT+CSQ\r", "\r\n+CSQ: 29,0\r\n\r\n\r\n\r\n\r\nOK\r\n"),
            (
                "AT+CEREG?\r",
                "\r\n+CEREG: 2\r\n\r\n+CEREG: 0,5\r\n\r\nOK\r\n",
            ),
            ("AT+CCLK?\r", "\r\nOK\r\n"),
        ] {
            module.answer(line, answer).await;
        }
    };
    let questions = async {
        let identity = modem.identify().await.unwrap();
        assert_eq!(identity.manufacturer.as_deref(), Some("Lierda"));
        assert_eq!(identity.model.as_deref(), Some("NT26-KCN"));
        assert_eq!(identity.revision, None);
        assert_eq!(identity.imei.as_deref(), Some("866901012345678"));
        assert_eq!(identity.iccid.as_deref(), Some("89860012345678901234"));
        assert_eq!(identity.imsi, None);
        assert_eq!(modem.sim_status().await, Ok(SimStatus::NotInserted));
        assert_eq!(modem.signal_quality().await.unwrap().rssi_dbm(), Some(-55));
        assert!(modem.registration().await.unwrap().is_registered());
        assert_eq!(
            modem.clock().await.unwrap_err().to_string(),
            "the module answered AT+CCLK? without the information asked for"
        );
    };
    tokio::join!(questions, script);
    assert_eq!(modem.counters().refusals, 3);
}

#[tokio::test(start_paused = true)]
async fn raw_commands_and_the_lines_between_them() {
    let (modem, mut module) = line();
    let mut lines = modem.lines();
    let answer = "\r\n+CREG: 0,1\r\n\r\n+LMQTTURC: STATS,0,1\r\n\r\nERROR\r\n";
    let script = module.answer("AT+CREG?\r", answer);
    let (response, ()) = tokio::join!(modem.command("AT+CREG?"), script);
    let response = response.unwrap();
    assert_eq!(response.lines, [b"+CREG: 0,1"]);
    assert_eq!(response.result, FinalResult::Error);
    assert_eq!(lines.recv().await.unwrap(), b"+LMQTTURC: STATS,0,1");
    let error = modem.command("AT\r\nAT+CFUN=0").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the command line holds the control character 0x0d at byte 2"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_leaves_the_channel_in_order() {
    let (modem, mut module) = line();
    let impatient = tokio::time::timeout(Duration::from_secs(1), modem.signal_quality());
    let (outcome, ()) = tokio::join!(impatient, module.hear("AT+CSQ\r"));
    assert!(outcome.is_err());
    let script = async {
        // The next command waits for the answer that nobody wants any more.
        module.hear_nothing(2).await;
        module.say("\r\n+CSQ: 29,0\r\n\r\nOK\r\n").await;
        module.answer("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n").await;
    };
    let (response, ()) = tokio::join!(modem.command("AT+CGMM"), script);
    assert_eq!(response.unwrap().lines, [b"NT35E"]);
}

#[tokio::test(start_paused = true)]
async fn a_time_limit_can_be_given() {
    let (modem, _module) = line();
    let limit = Duration::from_millis(1500);
    let command = atmq_driver::RawCommand::new("AT+COPS=?");
    let error = modem.raw(command, Some(limit)).await.unwrap_err();
    let command = "AT+COPS".to_string();
    assert_eq!(
        error,
        Error::Exchange(ExchangeError::Timeout { command, limit })
    );
    assert_eq!(
        error.to_string(),
        "the module did not answer AT+COPS within 1.5 s"
    );
}
