//! Commands as hosts write them.

use super::*;

fn read<'l>(model: &Model, line: &'l str) -> Option<(ConnectionId, Request<'l>)> {
    let dialect = dialect(model);
    request::decode(&dialect, &command(&dialect, line), &model.limits).ok()
}

#[test]
fn each_command_is_read() {
    let [a, b, c] = MODELS;
    let taken = |taken, length| Request::Take(taken, length);
    let once = QoS::AtLeastOnce;
    for (model, line, id, expected) in [
        (&a, "AT+CMQTTSTART", ID, Request::Start { cid: None }),
        (&c, "AT+CMQTTSTART=2", ID, Request::Start { cid: Some(2) }),
        (&a, "AT+CMQTTSTOP", ID, Request::Stop),
        (
            &a,
            "AT+CMQTTACCQ=1,\"c\",1",
            OTHER,
            Request::Acquire {
                client_id: "c",
                secured: true,
                version: None,
            },
        ),
        (
            &b,
            "AT+CMQTTACCQ=0,\"c\",0,4",
            ID,
            Request::Acquire {
                client_id: "c",
                secured: false,
                version: Some(Version::V3_1_1),
            },
        ),
        (&a, "AT+CMQTTREL=0", ID, Request::Release),
        (&a, "AT+CMQTTSSLCFG=0,9", ID, Request::UseContext(9)),
        (
            &a,
            "AT+CMQTTWILLTOPIC=0,10",
            ID,
            taken(Taken::WillTopic, 10),
        ),
        (
            &a,
            "AT+CMQTTWILLMSG=0,6,1",
            ID,
            taken(Taken::WillMessage(once), 6),
        ),
        (
            &a,
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"u\",\"p\"",
            ID,
            Request::Connect {
                url: "tcp://h:1883",
                keep_alive: 60,
                clean_session: true,
                username: Some("u"),
                password: Some("p"),
            },
        ),
        (&a, "AT+CMQTTDISC=0,120", ID, Request::Disconnect),
        // A host was seen to send it.
        (&a, "AT+CMQTTDISC=0,10000", ID, Request::Disconnect),
        (&a, "AT+CMQTTTOPIC=0,9", ID, taken(Taken::Topic, 9)),
        (
            &a,
            "AT+CMQTTPAYLOAD=0,10240",
            ID,
            taken(Taken::Payload, 10240),
        ),
        (
            &a,
            "AT+CMQTTPUB=0,1,60",
            ID,
            Request::Publish {
                qos: once,
                retain: false,
            },
        ),
        // The same.
        (
            &b,
            "AT+CMQTTPUB=0,1,20,1,0",
            ID,
            Request::Publish {
                qos: once,
                retain: true,
            },
        ),
        (
            &a,
            "AT+CMQTTSUBTOPIC=0,9,1",
            ID,
            taken(Taken::Filter(once), 9),
        ),
        (&a, "AT+CMQTTSUB=0", ID, Request::Subscribe),
        (&a, "AT+CMQTTSUB=0,1", ID, Request::Subscribe),
        (
            &a,
            "AT+CMQTTSUB=0,9,1",
            ID,
            taken(Taken::OneFilter(once), 9),
        ),
        (
            &c,
            "AT+CMQTTSUB=0,9,1,1",
            ID,
            taken(Taken::OneFilter(once), 9),
        ),
        (
            &a,
            "AT+CMQTTSUB=0,\"a/b\",1",
            ID,
            Request::SubscribeTo {
                topic: "a/b",
                qos: once,
            },
        ),
        (
            &a,
            "AT+CMQTTUNSUBTOPIC=0,9",
            ID,
            taken(Taken::UnwantedFilter, 9),
        ),
        (&a, "AT+CMQTTUNSUB=0,0", ID, Request::Unsubscribe),
        (
            &a,
            "AT+CMQTTUNSUB=0,9,0",
            ID,
            taken(Taken::OneUnwantedFilter, 9),
        ),
        (
            &a,
            "AT+CMQTTUNSUB=0,\"a/b\"",
            ID,
            Request::UnsubscribeFrom { topic: "a/b" },
        ),
        (
            &a,
            "AT+CMQTTPUB=0,\"a/b\",2,5,1",
            ID,
            Request::PublishTo {
                topic: "a/b",
                qos: QoS::ExactlyOnce,
                retain: true,
                length: 5,
            },
        ),
        (
            &a,
            "AT+CMQTTCFG=\"checkutf8\",1,0",
            OTHER,
            Request::Configure(Setting::CheckUtf8(false)),
        ),
        (
            &a,
            "AT+CMQTTCFG=\"argtopic\",0,1,1",
            ID,
            Request::Configure(Setting::OneLine {
                on: true,
                length: true,
            }),
        ),
        (
            &c,
            "AT+CMQTTCFG=\"cid\",2",
            ID,
            Request::Configure(Setting::Context(Some(2))),
        ),
        (&a, "AT+CMQTTDISC?", ID, Request::Query("+CMQTTDISC")),
    ] {
        assert_eq!(
            read(model, line),
            Some((id, expected)),
            "{} {line}",
            model.name
        );
    }
}

#[test]
fn wrong_commands_are_refused() {
    let [a, b, c] = MODELS;
    for (model, line) in [
        (&a, "AT+CMQTTSTART=1"),
        (&a, "AT+CMQTTACCQ=2,\"c\""),
        (&a, "AT+CMQTTACCQ=0,\"\""),
        (&a, "AT+CMQTTACCQ=0,\"c\",0,4"),
        (&b, "AT+CMQTTACCQ=0,\"c\",0,5"),
        (&a, "AT+CMQTTCONNECT=0,\"tcp://h\",0,1"),
        (&a, "AT+CMQTTCONNECT=0,\"tcp://h\",64801,1"),
        (&a, "AT+CMQTTTOPIC=0,0"),
        (&a, "AT+CMQTTTOPIC=0,1025"),
        (&a, "AT+CMQTTPAYLOAD=0,0"),
        (&a, "AT+CMQTTPAYLOAD=0,10241"),
        (&c, "AT+CMQTTPAYLOAD=0,4097"),
        (&a, "AT+CMQTTPUB=0,3,60"),
        (&a, "AT+CMQTTPUB=0,1"),
        // Neither collects topics, nor takes them on the line.
        (&c, "AT+CMQTTSUB=0"),
        (&c, "AT+CMQTTSUBTOPIC=0,9,1"),
        (&b, "AT+CMQTTSUB=0,\"a/b\",1"),
        (&b, "AT+CMQTTSUB?"),
        (&a, "AT+CMQTTUNSUB=0,0,1,1"),
        (&b, "AT+CMQTTCFG=\"version\",0,4"),
        (&a, "AT+CMQTTCFG=\"cid\",2"),
        (&a, "AT+CMQTTCFG=\"optimeout\",0,19"),
        (&a, "AT+CMQTTCFG=\"nothing\",0,1"),
        (&a, "AT+CMQTTTOPIC?"),
        (&a, "AT+CMQTTTOPIC"),
        // As a host misspells them.
        (&a, "AT+CMQTTRELEASE=0"),
        (&a, "AT+CMQTTUNSUBOPIC=0,9"),
    ] {
        assert_eq!(read(model, line), None, "{} {line}", model.name);
    }
}

#[test]
fn times_out_of_range_are_refused_where_that_is_chosen() {
    for (model, line, good) in [
        (&A7670, "AT+CMQTTPUB=0,1,1", true),
        (&A7670, "AT+CMQTTPUB=0,1,181", false),
        (&SIM7600, "AT+CMQTTPUB=0,1,59", false),
        (&SIM7600, "AT+CMQTTPUB=0,1,60", true),
        (&SIM7600, "AT+CMQTTDISC=0,0", true),
        (&SIM7600, "AT+CMQTTDISC=0,20", false),
        (&A7670, "AT+CMQTTDISC=0,10000", false),
    ] {
        let strict = Cmqtt {
            strict_timeouts: true,
            ..dialect(model)
        };
        let strictly = request::decode(&strict, &command(&strict, line), &model.limits);
        assert_eq!(strictly.is_ok(), good, "{line}");
        assert!(read(model, line).is_some(), "{line}");
    }
}
