//! The TLS contexts of the modules that speak SM (reference `sm.md` 5). Those that speak CMQTT have
//! other keys under the same name.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::files::stored_name;
use crate::at::command::{Command, Form};
use crate::dialect::{Act, Face, Finish, Ground, NoData, Refused};
use crate::limits::Limits;
use crate::mqtt::{TlsSetting, TlsVersion};
use crate::spec::{Key, Param, Source, Spec, Values};

const MANUAL: Source = Source::documented("reference sm.md 5");
/// How many contexts there are.
const COUNT: usize = 6;
/// Where certificates are looked for.
const CUSTOMER: u8 = 3;

const CONTEXT: Param = Param::number("ctxindex", &[(0, COUNT as i64 - 1)], "which context");

const CONVERT: &str = "CONVERT";
const SSLVERSION: &str = "SSLVERSION";
const SNI: &str = "SNI";
const IGNORERTCTIME: &str = "IGNORERTCTIME";
const PROTOCOL: &str = "PROTOCOL";
const CIPHERSUITE: &str = "CIPHERSUITE";
const MAXFRAGLENDISABLE: &str = "MAXFRAGLENDISABLE";
const CTXINDEX: &str = "CTXINDEX";

#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key::new(SSLVERSION, "the versions of TLS that are spoken",
        &[CONTEXT, Param::number("sslversion", &[(0, 5)], "which").values(&[
            ("0", "all"),
            ("1", "TLS 1.0"),
            ("2", "TLS 1.1"),
            ("3", "TLS 1.2"),
        ])], MANUAL),
    Key::new(SNI, "the host's name that is sent in the handshake",
        &[CONTEXT, Param::text("servername", 253, "empty is none")], MANUAL),
    Key::new(IGNORERTCTIME, "whether a certificate is good before and after its time",
        &[CONTEXT, Param::switch("ignore", "its time does not matter")], MANUAL),
    Key::new(PROTOCOL, "whether it is TLS",
        &[CONTEXT, Param::number("protocol", &[(1, 2)], "which").values(&[("1", "TLS"), ("2", "DTLS")])], MANUAL),
    Key::new(CIPHERSUITE, "a cipher suite, in its place of the list",
        &[CONTEXT, Param::number("place", &[(0, 7)], "which of them"), Param::bare("ciphersuite", "its number in hexadecimal digits behind 0x")], MANUAL),
    Key::new(MAXFRAGLENDISABLE, "whether the longest fragment is not negotiated",
        &[CONTEXT, Param::switch("disable", "it is not")], MANUAL),
    Key::new(CTXINDEX, "nothing: the context is shown", &[CONTEXT], MANUAL),
    Key::new(CONVERT, "nothing: files become what AT+SMSSL takes, under the first name",
        &[
            Param::number("ssltype", &[(1, 3)], "what they are").values(&[
                ("1", "a certificate and its key"),
                ("2", "authorities"),
                ("3", "a table of shared keys"),
            ]),
            Param::text("cname", 230, "the file"),
            Param::text("keyname", 230, "the file with the key").optional(),
            Param::secret("passkey", "what the key is encrypted with").optional(),
        ], MANUAL),
];

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new("+CSSLCFG", "sets a value of a TLS context, converts files, or shows a context", MANUAL)
        .takes(&[Param::key("key", "which value")]).keyed(KEYS).acts(),
];

/// What of the contexts the module itself does not keep.
#[derive(Debug)]
pub(super) struct Contexts {
    limits: Limits,
    all: [Context; COUNT],
}

#[derive(Debug, Clone)]
struct Context {
    version: u8,
    server_name: String,
    protocol: u8,
    no_fragments: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            version: 0,
            server_name: String::new(),
            protocol: 1,
            no_fragments: false,
        }
    }
}

impl Contexts {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            all: Default::default(),
        }
    }

    fn configure(
        &mut self,
        key: &str,
        values: &mut Values<'_, '_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<(), Refused> {
        let context: u8 = values.integer()?;
        let known = &mut self.all[usize::from(context)];
        let setting = match key {
            SSLVERSION => {
                known.version = values.integer()?;
                Some(TlsSetting::Version(match known.version {
                    1 => TlsVersion::V1_0,
                    2 => TlsVersion::V1_1,
                    3 => TlsVersion::V1_2,
                    _ => TlsVersion::All,
                }))
            }
            SNI => {
                known.server_name = values.text()?.into();
                Some(TlsSetting::ServerName(!known.server_name.is_empty()))
            }
            IGNORERTCTIME => Some(TlsSetting::IgnoreTime(values.flag()?)),
            PROTOCOL => {
                known.protocol = values.integer()?;
                None
            }
            MAXFRAGLENDISABLE => {
                known.no_fragments = values.flag()?;
                None
            }
            CIPHERSUITE => {
                // Those that rustls speaks are spoken; a number that is none is refused.
                values.integer::<u8>()?;
                let number = values.rest().unwrap_or_default().trim_ascii();
                let digits = number.strip_prefix(b"0x").or(number.strip_prefix(b"0X"));
                let good = digits.filter(|digits| {
                    !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
                });
                good.ok_or(Refused::NOT_ALLOWED)?;
                None
            }
            _ => {
                let ignored = ground.tls(context, crate::mqtt::TlsKey::IgnoreTime);
                let ignored = matches!(ignored, TlsSetting::IgnoreTime(true));
                let line = format!(
                    "+CSSLCFG: {context},{},{},{},\"{}\"",
                    known.version,
                    u8::from(ignored),
                    known.protocol,
                    known.server_name,
                );
                acts.push(Act::Say(line.into_bytes()));
                None
            }
        };
        values.end()?;
        acts.extend(setting.map(|setting| Act::ConfigureTls { context, setting }));
        Ok(())
    }
}

/// The files that are converted become one, under the name of the first: a certificate needs its
/// key. A file that is not there, or holds nothing of the kind, is refused.
fn convert(
    values: &mut Values<'_, '_>,
    ground: &dyn Ground,
    acts: &mut Vec<Act>,
) -> Result<(), Refused> {
    let kind: u8 = values.integer()?;
    let name = values.filled_text()?;
    let key = values.optional_text()?;
    // An encrypted key cannot be used here.
    values.optional_text()?;
    values.end()?;
    let file = |name: &str, holds: &[u8]| {
        let file = ground.file(&stored_name(CUSTOMER, name))?;
        memchr::memmem::find(file, holds)?;
        Some(file)
    };
    let bytes = match (kind, key) {
        (1, Some(key)) => file(name, b"BEGIN CERTIFICATE")
            .zip(file(key, b"PRIVATE KEY"))
            .map(|(certificate, key)| [certificate, b"\n", key].concat()),
        (2, None) => file(name, b"BEGIN CERTIFICATE").map(<[u8]>::to_vec),
        (3, None) => file(name, b"").map(<[u8]>::to_vec),
        _ => None,
    };
    let bytes = bytes
        .filter(|_| ground.has_room(name))
        .ok_or(Refused::NOT_ALLOWED)?;
    acts.push(Act::Store {
        name: name.into(),
        bytes,
    });
    Ok(())
}

impl Face for Contexts {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let Form::Set(values) = command.form else {
            return Err(Refused::NOT_ALLOWED);
        };
        let limits = self.limits.clone();
        let mut values = COMMANDS[0].values(values, &limits);
        match values.key()?.name {
            CONVERT => convert(&mut values, ground, acts)?,
            key => self.configure(key, &mut values, ground, acts)?,
        }
        Ok(Finish::Ok)
    }

    fn data(&mut self, _: &[u8], _: &dyn Ground, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    fn restarted(&mut self) {
        self.all = Default::default();
    }
}
