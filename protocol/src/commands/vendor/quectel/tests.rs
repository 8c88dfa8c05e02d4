//! What the commands come to, with a module around them.

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::{CONTEXTS, FILES, TLS};
use crate::at::command::Command;
use crate::commands::VendorSet;
use crate::dialect::{Act, Event, Face, Finish, Ground, NoData, Prompt, Refused};
use crate::mqtt::{ConnectionId, ConnectionState, SecurityLevel, TlsKey, TlsSetting};

struct Around;

impl Ground for Around {
    fn state(&self, _: ConnectionId) -> Option<ConnectionState> {
        None
    }

    fn is_open(&self, _: ConnectionId) -> bool {
        false
    }

    fn peer(&self, _: ConnectionId) -> Option<(&str, u16)> {
        None
    }

    fn is_active(&self, _: u8) -> bool {
        true
    }

    fn address(&self, cid: u8) -> Option<String> {
        Some(alloc::format!("10.0.0.{}", cid + 1))
    }

    fn tls(&self, _: u8, key: TlsKey) -> TlsSetting<'_> {
        match key {
            TlsKey::CaCertificate => TlsSetting::CaCertificate("ca.pem".into()),
            TlsKey::ClientCertificate => TlsSetting::ClientCertificate("".into()),
            _ => TlsSetting::SecurityLevel(SecurityLevel::Mutual),
        }
    }

    fn has_room(&self, name: &str) -> bool {
        name != "full"
    }

    fn file(&self, name: &str) -> Option<&[u8]> {
        (name == "ca.pem").then_some(b"abc")
    }

    fn files(&self) -> Vec<&str> {
        vec!["ca.pem"]
    }
}

struct Talk(Box<dyn Face>);

impl Talk {
    fn new(set: &VendorSet) -> Self {
        let make = set.face.expect("it has a face");
        Self(make(&crate::dialect::qmt::EC25.limits))
    }

    fn command(&mut self, line: &str) -> Result<(Finish, Vec<Act>), Refused> {
        let mut acts = Vec::new();
        let (command, _) = Command::split_first(line.as_bytes(), |_| true);
        let finish = self.0.command(&command, &Around, &mut acts)?;
        Ok((finish, acts))
    }

    fn says(&mut self, line: &str) -> Vec<String> {
        let (finish, acts) = self.command(line).expect(line);
        assert_eq!(finish, Finish::Ok, "{line}");
        acts.into_iter()
            .map(|act| match act {
                Act::Say(line) => String::from_utf8(line).expect("it is text"),
                act => panic!("{act:?}"),
            })
            .collect()
    }

    fn noticed(&mut self, cid: u8, active: bool) -> Vec<Act> {
        let mut acts = Vec::new();
        self.0.noticed(Event::Context { cid, active }, &mut acts);
        acts
    }
}

#[test]
fn a_context_is_activated_once() {
    let mut talk = Talk::new(&CONTEXTS);
    let (_, acts) = talk.command("+QICSGP=2,3,\"apn\",\"u\",\"p\",1").unwrap();
    assert_eq!(
        acts,
        [Act::DefineContext {
            cid: 2,
            kind: "IPV4V6",
            access_point: "apn".into(),
        }]
    );
    assert_eq!(talk.says("+QICSGP=2"), ["+QICSGP: 3,\"apn\",\"u\",\"p\",1"]);
    assert_eq!(talk.says("+QICSGP=1"), ["+QICSGP: 1,\"\",\"\",\"\",0"]);
    assert_eq!(talk.says("+QIACT?"), Vec::<String>::new());
    let (finish, acts) = talk.command("+QIACT=2").unwrap();
    assert!(matches!(finish, Finish::Outcome(_)));
    assert_eq!(
        acts,
        [Act::Activate {
            cid: 2,
            active: true
        }]
    );
    assert_eq!(talk.noticed(2, true), [Act::Finish(Ok(()))]);
    assert_eq!(talk.says("+QIACT?"), ["+QIACT: 2,1,3,\"10.0.0.3\""]);
    // One that is active is an error.
    assert!(talk.command("+QIACT=2").is_err());
    // It is lost, which the host is told once.
    let lost = Act::Announce(b"+QIURC: \"pdpdeact\",2".to_vec());
    assert_eq!(talk.noticed(2, false), [lost]);
    assert_eq!(talk.noticed(2, false), []);
    assert_eq!(talk.says("+QIACT?"), Vec::<String>::new());
    // What is not active is deactivated by doing nothing.
    assert_eq!(talk.says("+QIDEACT=2"), Vec::<String>::new());
    talk.command("+QIACT=2").unwrap();
    assert!(matches!(talk.noticed(2, false)[..], [Act::Finish(Err(_))]));
    talk.command("+QIACT=2").unwrap();
    talk.noticed(2, true);
    let (_, acts) = talk.command("+QIDEACT=2").unwrap();
    assert_eq!(
        acts,
        [Act::Activate {
            cid: 2,
            active: false
        }]
    );
    assert_eq!(talk.noticed(2, false), [Act::Finish(Ok(()))]);
    for line in ["+QIACT=0", "+QIACT=17", "+QICSGP=1,4", "+QIACT"] {
        assert!(talk.command(line).is_err(), "{line}");
    }
}

#[test]
fn files_are_stored_listed_shown_and_removed() {
    let mut talk = Talk::new(&FILES);
    let (finish, acts) = talk.command("+QFUPL=\"UFS:new.pem\",5,80").unwrap();
    let Finish::Data(ask) = finish else {
        panic!("{finish:?}");
    };
    assert_eq!(
        (ask.prompt, ask.length),
        (Prompt::Line(b"CONNECT"), Some(5))
    );
    assert_eq!(acts, []);
    let mut acts = Vec::new();
    assert_eq!(
        talk.0.data(b"\x01\x02\x10\x20\xff", &Around, &mut acts),
        Ok(Finish::Ok)
    );
    assert_eq!(
        acts,
        [
            // 0102 xor 1020 xor ff00.
            Act::Say(b"+QFUPL: 5,ee22".to_vec()),
            Act::Store {
                name: "new.pem".to_string(),
                bytes: b"\x01\x02\x10\x20\xff".to_vec(),
            },
        ]
    );
    for line in [
        "+QFLST",
        "+QFLST=\"*\"",
        "+QFLST=\"UFS:ca*\"",
        "+QFLST=\"ca.pem\"",
    ] {
        assert_eq!(talk.says(line), ["+QFLST: \"UFS:ca.pem\",3"], "{line}");
    }
    assert_eq!(talk.says("+QFLST=\"x*\""), Vec::<String>::new());
    let (_, acts) = talk.command("+QFDWL=\"ca.pem\"").unwrap();
    let said = Act::Say(b"+QFDWL: 3,262".to_vec());
    assert_eq!(acts, [Act::Stream(b"abc".to_vec()), said]);
    for line in ["+QFDEL=\"ufs:ca.pem\"", "+QFDEL=\"*\""] {
        let (_, acts) = talk.command(line).unwrap();
        assert_eq!(
            acts,
            [Act::Remove {
                name: "ca.pem".into()
            }]
        );
    }
    for (line, code) in [
        ("+QFDEL=\"none\"", 405),
        ("+QFDWL=\"none\"", 405),
        // A file is not written over.
        ("+QFUPL=\"ca.pem\",5", 407),
        ("+QFUPL=\"full\",5", 403),
        ("+QFUPL=\"new\",0", 3),
        ("+QFUPL=\"new\",16385", 3),
        ("+QFUPL=\"\",5", 3),
    ] {
        assert_eq!(talk.command(line), Err(Refused::Cme(code)), "{line}");
    }
    talk.command("+QFUPL=\"new\",5").unwrap();
    let late = talk.0.no_data(NoData::Late, &mut Vec::new());
    assert_eq!(late, Err(Refused::Cme(421)));
}

#[test]
fn tls_contexts_are_set_and_shown() {
    let mut talk = Talk::new(&TLS);
    assert_eq!(
        talk.says("+QSSLCFG=\"cacert\",2"),
        ["+QSSLCFG: \"cacert\",2,\"UFS:ca.pem\""]
    );
    assert_eq!(
        talk.says("+QSSLCFG=\"clientcert\",2"),
        ["+QSSLCFG: \"clientcert\",2,\"\""]
    );
    assert_eq!(
        talk.says("+qsslcfg=\"SECLEVEL\",2"),
        ["+QSSLCFG: \"seclevel\",2,2"]
    );
    let (_, acts) = talk.command("+QSSLCFG=\"cacert\",2,\"UFS:a.pem\"").unwrap();
    let setting = TlsSetting::CaCertificate("a.pem".into());
    assert_eq!(
        acts,
        [Act::ConfigureTls {
            context: 2,
            setting
        }]
    );
    for (key, value, default) in [
        ("ciphersuite", "0xFFFF", "0"),
        ("negotiatetime", "30", "300"),
        ("session_cache", "1", "0"),
    ] {
        let shown = |value| [alloc::format!("+QSSLCFG: \"{key}\",0,{value}")];
        let query = alloc::format!("+QSSLCFG=\"{key}\",0");
        assert_eq!(talk.says(&query), shown(default));
        talk.says(&alloc::format!("{query},{value}"));
        assert_eq!(talk.says(&query), shown(value));
    }
    for line in [
        "+QSSLCFG=\"nokey\",0,1",
        "+QSSLCFG=\"psk\",0,\"id\",\"00\"",
        "+QSSLCFG=\"seclevel\",6,1",
        "+QSSLCFG=\"seclevel\",0,3",
        "+QSSLCFG=\"seclevel\",0,1,1",
    ] {
        assert!(talk.command(line).is_err(), "{line}");
    }
}
