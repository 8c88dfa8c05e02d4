//! What settings come to.

use super::module::{CLOSED, OPEN, Talk};
use super::*;
use crate::dialect::{Act, Ask, Finish};

#[test]
fn settings_are_shown_as_they_were_given_and_outlast_a_close() {
    for (key, default, value) in [
        ("version", "3", "4"),
        ("pdpcid", "1", "16"),
        ("ssl", "0", "1,2"),
        ("keepalive", "120", "0"),
        ("session", "1", "0"),
        ("timeout", "5,3,0", "60,10,1"),
        ("will", "0", "1,2,1,\"t\",\"m\""),
        ("recv/mode", "0,0", "1,1"),
        ("send/mode", "0", "1"),
        ("dataformat", "0,0", "1,1"),
    ] {
        let mut talk = Talk::new(&EC25);
        let shown = |value: &str| vec![format!("+QMTCFG: \"{key}\",{value}")];
        let query = format!("+QMTCFG=\"{}\",5", key.to_uppercase());
        assert_eq!(talk.says(&query, &CLOSED), shown(default), "{key}");
        let set = format!("+QMTCFG=\"{key}\",5,{value}");
        assert_eq!(talk.says(&set, &CLOSED), Vec::<String>::new());
        assert_eq!(talk.says(&query, &CLOSED), shown(value), "{key}");
        talk.0.freed(ConnectionId(5));
        assert_eq!(talk.says(&query, &CLOSED), shown(value), "{key}");
        talk.0.restarted();
        assert_eq!(talk.says(&query, &CLOSED), shown(default), "{key}");
    }
}

#[test]
fn what_was_never_set_and_has_no_default_is_answered_with_ok_alone() {
    for (key, value) in [
        ("aliauth", "\"pk\",\"dn\",\"ds\""),
        ("onenet", "\"123123\",\"a2V5\""),
        ("hwauth", "\"id\",\"secret\""),
        ("hwprodid", "\"id\",\"secret\",\"node\""),
        ("CTWing", "\"id\",\"feature\""),
        ("qmtping", "5"),
        ("protocol/check", "1"),
        ("wakeup/topic", "\"t\""),
    ] {
        let mut talk = Talk::new(&EG800K);
        let query = format!("+QMTCFG=\"{key}\",0");
        assert_eq!(talk.says(&query, &CLOSED), Vec::<String>::new());
        talk.says(&format!("{query},{value}"), &CLOSED);
        let shown = format!("+QMTCFG: \"{key}\",{value}");
        assert_eq!(talk.says(&query, &CLOSED), [shown]);
    }
    let mut talk = Talk::new(&EG800K);
    talk.says("+QMTCFG=\"close/time\",30", &CLOSED);
    let shown = talk.says("+QMTCFG=\"close/time\"", &CLOSED);
    assert_eq!(shown, ["+QMTCFG: \"close/time\",30"]);
    assert!(talk.command("+QMTCFG=\"close/time\",4", &CLOSED).is_err());
}

#[test]
fn a_model_has_its_keys_and_no_others() {
    for (key, models_with) in [
        (
            "\"keepalive\",0",
            &["EC25", "EC800M", "EG800K", "BG95", "BG96", "BG770A"][..],
        ),
        (
            "\"aliauth\",0",
            &["EC25", "EC800M", "EG800K", "BG95", "BG96", "BG770A"],
        ),
        (
            "\"recv/mode\",0",
            &["EC25", "EC800M", "EG800K", "BG95", "BG770A"],
        ),
        ("\"dataformat\",0", &["EC25", "EC800M", "EG800K"]),
        ("\"willex\",0", &["EC800M", "EG800K"]),
        ("\"close/time\"", &["EG800K"]),
    ] {
        for model in models() {
            let taken = Talk::new(&model).command(&format!("+QMTCFG={key}"), &CLOSED);
            assert_eq!(
                taken.is_ok(),
                models_with.contains(&model.name),
                "{} {key}",
                model.name
            );
        }
    }
}

#[test]
fn a_connect_is_shaped_by_the_settings() {
    let mut talk = Talk::new(&EC800M);
    for line in [
        "+QMTCFG=\"version\",0,3",
        "+QMTCFG=\"session\",0,0",
        "+QMTCFG=\"keepalive\",0,30",
        "+QMTCFG=\"timeout\",0,7,2,1",
        "+QMTCFG=\"ssl\",0,1,2",
    ] {
        talk.says(line, &CLOSED);
    }
    // A will whose payload comes behind a prompt.
    let asked = talk.command("+QMTCFG=\"willex\",0,1,1,0,\"w\",3", &CLOSED);
    assert!(matches!(
        asked,
        Ok((
            Finish::Data(Ask {
                length: Some(3),
                ..
            }),
            _
        ))
    ));
    let kept = talk.0.data(b"a\"\n", &CLOSED, &mut Vec::new());
    assert_eq!(kept, Ok(Finish::Ok));
    let (_, acts) = talk.command("+QMTOPEN=0,\"h\",8883", &CLOSED).unwrap();
    assert_eq!(
        acts,
        [Act::Open {
            connection: ID,
            host: "h".into(),
            port: 8883,
            cid: 1,
            tls: Some(2),
        }]
    );
    let (_, acts) = talk
        .command("+QMTCONN=0,\"id\",\"u\",\"p\"", &OPEN)
        .unwrap();
    let [Act::Connect(connect)] = &acts[..] else {
        panic!("{acts:?}");
    };
    assert_eq!(connect.client_id, "id");
    assert_eq!(connect.username.as_deref(), Some("u"));
    assert_eq!(connect.password, Some(Secret::from("p")));
    assert_eq!(connect.version, crate::mqtt::Version::V3_1);
    assert_eq!((connect.clean_session, connect.keep_alive), (false, 30));
    assert_eq!(
        connect.timeouts.map(|timeouts| timeouts.packet_seconds),
        Some(7)
    );
    assert_eq!(
        connect.will,
        Some(Will::new("w", "a\"\n").qos(QoS::AtLeastOnce))
    );
}

#[test]
fn platforms_take_the_client_id_alone() {
    let mut talk = Talk::new(&EC25);
    talk.says("+QMTCFG=\"aliauth\",0,\"pk\",\"dn\",\"ds\"", &CLOSED);
    let (_, acts) = talk.command("+QMTCONN=0,\"id\"", &OPEN).unwrap();
    let [Act::Connect(connect)] = &acts[..] else {
        panic!("{acts:?}");
    };
    let device = connect.device.as_ref().unwrap();
    assert_eq!((&*device.product_key, &*device.device_name), ("pk", "dn"));
    #[cfg(feature = "cloud")]
    {
        talk.says("+QMTCFG=\"onenet\",0,\"123123\",\"a2V5\"", &CLOSED);
        let (_, acts) = talk.command("+QMTCONN=0,\"mydev\"", &OPEN).unwrap();
        let [Act::Connect(connect)] = &acts[..] else {
            panic!("{acts:?}");
        };
        assert_eq!(connect.username.as_deref(), Some("123123"));
        let token = connect.password.as_ref().unwrap();
        assert!(
            token
                .expose()
                .starts_with("version=2018-10-31&res=products%2F123123&et=")
        );
    }
}
