//! TLS contexts: `AT+QSSLCFG` (reference `qmt.md` 7). The key `psk` is refused, for no link is secured
//! by it here; that what stands behind it is a secret its name tells.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::files::{NAME_LIMIT, stored_name};
use crate::at::command::Command;
use crate::dialect::{Act, Face, Finish, Ground, NoData, Refused};
use crate::limits::Limits;
use crate::mqtt::{SecurityLevel, TlsKey, TlsSetting, TlsVersion};
use crate::spec::{Key, Param, Source, Spec, Values};

pub(crate) const QSSLCFG: &str = "+QSSLCFG";

const PLACE: &str = "reference qmt.md 7";
const NOTE: Source = Source::documented(PLACE);

const FILE: Param = Param::text("path", NAME_LIMIT, "a file stored by AT+QFUPL");
const CONTEXT: Param = Param::number("ctx_index", &[(0, 5)], "which TLS context");

const ON: &[Param] = &[Param::switch("mode", "whether it is so")];

const fn switch(name: &'static str, sets: &'static str) -> Key {
    Key::new(name, sets, ON, NOTE)
}

#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key::new("sslversion", "the version of TLS",
        &[Param::number("version", &[(0, 4)], "the version").or("4").values(&[
            ("0", "SSL 3.0"), ("1", "TLS 1.0"), ("2", "TLS 1.1"), ("3", "TLS 1.2"), ("4", "all of them"),
        ])], NOTE),
    Key::new("ciphersuite", "the cipher suites", &[Param::bare("suites", "0xFFFF for all")], NOTE),
    Key::new("cacert", "the certificates that may have signed the broker's", &[FILE], NOTE),
    Key::new("clientcert", "the module's own certificate", &[FILE], NOTE),
    Key::new("clientkey", "the key of the module's certificate", &[FILE], NOTE),
    Key::new("seclevel", "what is verified",
        &[Param::number("level", &[(0, 2)], "the level").or("0").values(&[
            ("0", "nothing is verified"),
            ("1", "the broker is verified"),
            ("2", "both sides are verified"),
        ])], NOTE),
    switch("ignorelocaltime", "whether a certificate may be out of date"),
    Key::new("negotiatetime", "how long the handshake may take",
        &[Param::number("time", &[(10, 300)], "seconds").or("300")], NOTE),
    switch("sni", "whether the host name is sent to the broker"),
    Key::new("alpn", "the protocols of the application",
        &[Param::text("protocols", 128, "their names")], NOTE),
    Key::new("cacertex", "further certificates that may have signed the broker's", &[FILE], NOTE),
    switch("ignoremulticertchainverify", "whether a chain of certificates is not verified"),
    switch("ignoreinvalidcertsign", "whether a wrong signature is taken"),
    switch("session_cache", "whether a session is resumed"),
];

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(QSSLCFG, "sets a value of a TLS context, or shows it if no value is given", NOTE)
        .takes(&[Param::key("key", "which value"), CONTEXT]).keyed(KEYS).answers(&[CONTEXT])
        .within(5).acts(),
];

/// What is kept beside the values that the module around it knows.
#[derive(Debug)]
pub(super) struct Ssl {
    limits: Limits,
    /// Values as they were given, by their key and context.
    kept: Vec<(&'static str, u8, Vec<u8>)>,
}

impl Ssl {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            kept: Vec::new(),
        }
    }

    fn show(&self, key: &Key, context: u8, ground: &dyn Ground, acts: &mut Vec<Act>) {
        let value = match known(key.name) {
            Some(known) => match ground.tls(context, known) {
                TlsSetting::CaCertificate(name)
                | TlsSetting::ClientCertificate(name)
                | TlsSetting::ClientKey(name) => format!("\"{}\"", shown_name(&name)),
                TlsSetting::SecurityLevel(level) => format!("{}", level as u8),
                TlsSetting::Version(version) => format!("{}", version as u8),
                TlsSetting::ServerName(on) | TlsSetting::IgnoreTime(on) => {
                    format!("{}", u8::from(on))
                }
            },
            None => {
                let mut kept = self.kept.iter();
                let found = kept.find(|(name, of, _)| *name == key.name && *of == context);
                let given = found.map(|(_, _, given)| String::from_utf8_lossy(given).into_owned());
                let first = key.values.first();
                let default = first.and_then(|value| value.default).unwrap_or("0");
                given.unwrap_or_else(|| default.into())
            }
        };
        let line = format!("{QSSLCFG}: \"{}\",{context},{value}", key.name);
        acts.push(Act::Say(line.into_bytes()));
    }

    fn set(
        &mut self,
        key: &'static Key,
        context: u8,
        values: &mut Values<'_, '_>,
        acts: &mut Vec<Act>,
    ) -> Result<(), Refused> {
        let Some(known) = known(key.name) else {
            let given = values.rest().unwrap_or_default().to_vec();
            self.kept
                .retain(|(name, of, _)| *name != key.name || *of != context);
            self.kept.push((key.name, context, given));
            return Ok(());
        };
        let setting = match known {
            TlsKey::CaCertificate => TlsSetting::CaCertificate(file(values)?.into()),
            TlsKey::ClientCertificate => TlsSetting::ClientCertificate(file(values)?.into()),
            TlsKey::ClientKey => TlsSetting::ClientKey(file(values)?.into()),
            TlsKey::SecurityLevel => {
                let level = SecurityLevel::from_number(values.integer()?);
                TlsSetting::SecurityLevel(values.known(level)?)
            }
            TlsKey::Version => {
                let version = TlsVersion::from_number(values.integer()?);
                TlsSetting::Version(values.known(version)?)
            }
            TlsKey::ServerName => TlsSetting::ServerName(values.flag()?),
            TlsKey::IgnoreTime => TlsSetting::IgnoreTime(values.flag()?),
        };
        values.end()?;
        acts.push(Act::ConfigureTls { context, setting });
        Ok(())
    }
}

fn file(values: &mut Values<'_, '_>) -> Result<String, Refused> {
    Ok(stored_name(values.text()?).into())
}

/// With the drive that a host writes.
fn shown_name(name: &str) -> String {
    match name {
        "" => String::new(),
        name => format!("UFS:{name}"),
    }
}

/// A key that the module around the set knows.
fn known(key: &str) -> Option<TlsKey> {
    Some(match key {
        "cacert" => TlsKey::CaCertificate,
        "clientcert" => TlsKey::ClientCertificate,
        "clientkey" => TlsKey::ClientKey,
        "seclevel" => TlsKey::SecurityLevel,
        "sslversion" => TlsKey::Version,
        "sni" => TlsKey::ServerName,
        "ignorelocaltime" => TlsKey::IgnoreTime,
        _ => return None,
    })
}

impl Face for Ssl {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let limits = self.limits.clone();
        let values = &mut COMMANDS[0].values(command.form.values(), &limits);
        let key = values.key()?;
        let context = values.integer()?;
        match values.is_empty() {
            true => self.show(key, context, ground, acts),
            false => self.set(key, context, values, acts)?,
        }
        Ok(Finish::Ok)
    }

    fn data(&mut self, _: &[u8], _: &dyn Ground, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    fn restarted(&mut self) {
        self.kept.clear();
    }
}
