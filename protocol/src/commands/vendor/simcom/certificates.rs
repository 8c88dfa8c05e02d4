//! Certificates, and the TLS contexts that name them: `AT+CCERTDOWN`, `AT+CCERTLIST`,
//! `AT+CCERTDELE`, `AT+CSSLCFG` (reference `cmqtt.md` 7).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::at::parameter::{Parameter, ParameterError, Parameters};
use crate::dialect::{Act, Ask, Face, Finish, Ground, NoData, Prompt, Refused};
use crate::limits::Limits;
use crate::mqtt::{Intent, SecurityLevel, TlsKey, TlsSetting, TlsVersion};
use crate::spec::{Key, Lasting, Param, Source, Spec, Test, Values};

pub(crate) const CERTDOWN: &str = "+CCERTDOWN";
const CERTLIST: &str = "+CCERTLIST";
const CERTDELE: &str = "+CCERTDELE";
pub(crate) const SSLCFG: &str = "+CSSLCFG";

/// How many TLS contexts there are.
pub(crate) const CONTEXTS: u8 = 10;

/// The longest file, in bytes.
pub(crate) const LONGEST_FILE: usize = 10240;

/// The longest time of a command about files (documented).
pub(crate) const FILE_LIMIT: Duration = Duration::from_secs(120);

/// How long the module negotiates unless it is told, in seconds.
const NEGOTIATION: u16 = 300;

const MANUAL: Source = Source::documented("reference cmqtt.md 7");

const FILE: Param = Param::text(
    "filename",
    108,
    "how the file is called, 5 to 108 bytes with .pem or .der",
);
const CONTEXT: Param = Param::number(
    "ssl_ctx_index",
    &[(0, CONTEXTS as i64 - 1)],
    "which TLS context",
);

const fn flag(name: &'static str, meaning: &'static str) -> Param {
    Param::switch(name, meaning).shown("(0-1)")
}

#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key::new("sslversion", "which versions of TLS are spoken",
        &[CONTEXT, Param::number("sslversion", &[(0, 4)], "the version")
            .values(&[("0", "SSL 3.0"), ("1", "TLS 1.0"), ("2", "TLS 1.1"), ("3", "TLS 1.2"), ("4", "all")]).or("4")], MANUAL),
    Key::new("authmode", "who must prove who they are",
        &[CONTEXT, Param::number("authmode", &[(0, 3)], "who")
            .values(&[("0", "nobody"), ("1", "the server"), ("2", "both"), ("3", "the client")]).or("0")], MANUAL),
    Key::new("ignorelocaltime", "whether a certificate is good before and after its time",
        &[CONTEXT, flag("ignoreltime", "at any time").or("1")], MANUAL),
    Key::new("negotiatetime", "how long the handshake may take",
        &[CONTEXT, Param::number("negotiatetime", &[(10, 300)], "the time, in seconds").or("300")], MANUAL),
    Key::new("cacert", "the file with the certificates that are trusted", &[CONTEXT, FILE], MANUAL),
    Key::new("clientcert", "the file with the module's certificate", &[CONTEXT, FILE], MANUAL),
    Key::new("clientkey", "the file with the private key of that certificate", &[CONTEXT, FILE], MANUAL),
    Key::new("password", "the password of that key", &[CONTEXT, Param::secret("password", "the password")], MANUAL),
    Key::new("enableSNI", "whether the host's name is sent in the handshake (SNI)",
        &[CONTEXT, flag("enableSNI_flag", "the name").or("0")], MANUAL),
    Key::new("ciphersuites", "which ciphers are offered",
        &[CONTEXT, Param::bare("ciphersuites", "the ciphers")], Source::seen("reference cmqtt.md 7")),
];

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(CERTDOWN,
        "stores a file: the module asks for it with `>` and takes exactly <len> bytes", MANUAL)
        .takes(&[
            FILE,
            Param::number("len", &[(1, LONGEST_FILE as i64)], "how many bytes it has"),
        ]).announces(1, Prompt::Sign(b">")).tested(Test::Lines(&["(5-108),(1-10240)"])).within(120).acts(),
    Spec::plain(CERTLIST, "lists the files", MANUAL).answers(&[FILE]),
    Spec::new(CERTDELE, "deletes a file", MANUAL).takes(&[FILE]).acts(),
    Spec::new(SSLCFG, "sets a value of a TLS context, or shows the context that is named instead of a key",
        MANUAL)
        .takes(&[Param::key("key", "which value")]).keyed(KEYS).answers(&[CONTEXT]).reads().acts()
        .lasting(Lasting::Start, Source::inferred("as the settings of MQTT")),
];

/// What a command of these does, in the words of those who watch, and how many bytes follow it.
pub(crate) fn intent(command: &Command<'_>) -> Option<(Intent, Option<usize>)> {
    let Form::Set(values) = command.form else {
        return None;
    };
    let mut values = Parameters::new(values);
    if command.is(CERTDOWN) {
        let name = values.text("filename", 108).ok()?.into();
        let length = values.integer("len", 1, LONGEST_FILE as i64).ok()?;
        return Some((Intent::Upload { name, length }, Some(length)));
    }
    if !command.is(SSLCFG) || !matches!(values.next()?, Parameter::Quoted(_)) {
        return None;
    }
    let context = values
        .integer("ssl_ctx_index", 0, i64::from(CONTEXTS) - 1)
        .ok()?;
    Some((Intent::ConfigureTls { context }, None))
}

/// The module's face.
#[derive(Debug)]
pub(super) struct Certificates {
    limits: Limits,
    contexts: [Context; CONTEXTS as usize],
    /// The file whose bytes are asked for.
    asked: Option<String>,
}

/// What of a TLS context is kept, and changes nothing.
#[derive(Debug, Clone)]
struct Context {
    negotiation: u16,
    password: String,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            negotiation: NEGOTIATION,
            password: String::new(),
        }
    }
}

impl Certificates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            contexts: Default::default(),
            asked: None,
        }
    }

    fn configure(
        &mut self,
        values: &mut Values<'_, '_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<(), Refused> {
        if let Some(Parameter::Bare(digits)) = values.ahead().next() {
            let context = crate::at::parameter::integer(digits);
            let context = context.and_then(|context| u8::try_from(context).ok());
            let context = context.filter(|context| *context < CONTEXTS);
            acts.push(self.shown(context.ok_or(Refused::Plain)?, ground));
            return Ok(());
        }
        let key = values.key().map_err(refused)?;
        let context: u8 = values.integer().map_err(refused)?;
        let own = &mut self.contexts[usize::from(context)];
        let setting = match key.name {
            "negotiatetime" => {
                own.negotiation = values.integer().map_err(refused)?;
                None
            }
            "password" => {
                own.password = values.text().map_err(refused)?.into();
                None
            }
            "ciphersuites" => {
                values.rest();
                None
            }
            name => Some(setting(name, values).map_err(refused)?),
        };
        values.end().map_err(refused)?;
        acts.extend(setting.map(|setting| Act::ConfigureTls { context, setting }));
        Ok(())
    }

    /// `+CSSLCFG: <ctx>,<version>,<authmode>,<ignore>,<negotiate>,"<ca>","<cert>","<key>","<pass>",<sni>`
    fn shown(&self, context: u8, ground: &dyn Ground) -> Act {
        let own = &self.contexts[usize::from(context)];
        let value = |key| match ground.tls(context, key) {
            TlsSetting::CaCertificate(name)
            | TlsSetting::ClientCertificate(name)
            | TlsSetting::ClientKey(name) => format!("\"{name}\""),
            TlsSetting::SecurityLevel(level) => format!("{}", level as u8),
            TlsSetting::Version(version) => format!("{}", version as u8),
            TlsSetting::ServerName(on) | TlsSetting::IgnoreTime(on) => format!("{}", u8::from(on)),
        };
        let [version, level, time, ca, certificate, key, name] = [
            TlsKey::Version,
            TlsKey::SecurityLevel,
            TlsKey::IgnoreTime,
            TlsKey::CaCertificate,
            TlsKey::ClientCertificate,
            TlsKey::ClientKey,
            TlsKey::ServerName,
        ]
        .map(value);
        let Context {
            negotiation,
            password,
        } = own;
        Act::Say(
            format!(
                "{SSLCFG}: {context},{version},{level},{time},{negotiation},{ca},{certificate},{key},\"{password}\",{name}"
            )
            .into_bytes(),
        )
    }
}

/// A value of the TLS context that the module around the set keeps.
fn setting(name: &str, values: &mut Values<'_, '_>) -> Result<TlsSetting<'static>, ParameterError> {
    let setting = match name {
        "sslversion" => {
            let version = values.integer()?;
            TlsSetting::Version(values.known(TlsVersion::from_number(version))?)
        }
        "authmode" => {
            let mode = values.integer()?;
            let level = match mode {
                3 => Some(SecurityLevel::ClientOnly),
                mode => SecurityLevel::from_number(mode),
            };
            TlsSetting::SecurityLevel(values.known(level)?)
        }
        "ignorelocaltime" => TlsSetting::IgnoreTime(values.flag()?),
        "enableSNI" => TlsSetting::ServerName(values.flag()?),
        "cacert" => TlsSetting::CaCertificate(Cow::Owned(values.text()?.into())),
        "clientcert" => TlsSetting::ClientCertificate(Cow::Owned(values.text()?.into())),
        _ => TlsSetting::ClientKey(Cow::Owned(values.text()?.into())),
    };
    Ok(setting)
}

fn refused(_: ParameterError) -> Refused {
    Refused::Plain
}

/// A name that a file may have.
fn checked(name: &str) -> Result<&str, Refused> {
    let good = name.len() >= 5 && (name.ends_with(".pem") || name.ends_with(".der"));
    good.then_some(name).ok_or(Refused::Plain)
}

impl Face for Certificates {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let limits = self.limits.clone();
        let spec = COMMANDS.iter().find(|spec| spec.is(command.name));
        let spec = spec.ok_or(Refused::Unknown)?;
        let values = &mut spec.values(command.form.values(), &limits);
        acts.extend(intent(command).map(|(intent, _)| Act::Note(intent)));
        if command.is(CERTLIST) {
            let lines = ground.files().into_iter();
            let lines = lines.map(|name| format!("{CERTLIST}: \"{name}\"").into_bytes());
            acts.extend(lines.map(Act::Say));
        } else if command.is(SSLCFG) && command.form == Form::Read {
            acts.extend((0..CONTEXTS).map(|context| self.shown(context, ground)));
        } else if command.is(SSLCFG) {
            self.configure(values, ground, acts)?;
        } else if command.is(CERTDELE) {
            let name = values.text().map_err(refused)?;
            values.end().map_err(refused)?;
            ground.file(name).ok_or(Refused::Plain)?;
            acts.push(Act::Remove { name: name.into() });
        } else {
            let name = checked(values.text().map_err(refused)?)?;
            let length = values.integer().map_err(refused)?;
            values.end().map_err(refused)?;
            if !ground.has_room(name) {
                return Err(Refused::Plain);
            }
            self.asked = Some(name.into());
            return Ok(Finish::Data(Ask {
                prompt: Prompt::Sign(b">"),
                length: Some(length),
                end: DataEnd::Length,
                patience: Some(self.limits.prompt_timeout),
                escapable: false,
            }));
        }
        Ok(Finish::Ok)
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let bytes = data.to_vec();
        acts.extend(self.asked.take().map(|name| Act::Store { name, bytes }));
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        Err(Refused::Plain)
    }

    fn restarted(&mut self) {
        *self = Self::new(&self.limits);
    }
}
