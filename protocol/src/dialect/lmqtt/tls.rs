//! TLS contexts and the files they name: `AT+LSSLCFG` and `AT+LFUPL`, both ways.
//!
//! **Unverified.** No source says how a Lierda module is given its certificates. These commands
//! are our own, after Quectel's `AT+QSSLCFG` and `AT+QFUPL` (reference `README.md`, "Decisions").

use super::Request;
use super::command::{carriable, decode_text, in_range, length_in_range, not_empty};
use crate::at::command::Command;
use crate::at::parameter::{ParameterError, ParameterWriter, Parameters};
use crate::dialect::EncodeError;
use crate::mqtt::{MAX_FILE, SecurityLevel, TlsKey, TlsSetting, TlsVersion};

pub(super) const SSLCFG: &str = "+LSSLCFG";
pub(super) const FUPL: &str = "+LFUPL";

/// Highest TLS context (documented for the key `sslenable`).
const CONTEXTS: u8 = 5;

/// Longest file name, in bytes. Ours.
const NAME_LIMIT: usize = 64;

/// Every key by its name on the wire.
pub(super) const KEYS: [(TlsKey, &str); 7] = [
    (TlsKey::CaCertificate, "cacert"),
    (TlsKey::ClientCertificate, "clientcert"),
    (TlsKey::ClientKey, "clientkey"),
    (TlsKey::SecurityLevel, "seclevel"),
    (TlsKey::Version, "sslversion"),
    (TlsKey::ServerName, "sni"),
    (TlsKey::IgnoreTime, "ignorelocaltime"),
];

fn name(key: TlsKey) -> &'static str {
    let found = KEYS.iter().find(|(known, _)| *known == key);
    found.expect("every key stands in the table").1
}

pub(super) fn key(name: &[u8]) -> Option<TlsKey> {
    let found = KEYS
        .iter()
        .find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes()));
    found.map(|(key, _)| *key)
}

fn decode_key(parameters: &mut Parameters<'_>) -> Result<TlsKey, ParameterError> {
    let name = parameters.required("key")?;
    key(name).ok_or(ParameterError::Unknown { name: "key" })
}

/// What stands behind `AT+LSSLCFG=` or `AT+LFUPL=`.
pub(super) fn encode(
    request: &Request<'_>,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    match request {
        Request::ConfigureTls { context, setting } => {
            in_range("the TLS context", *context, 0, CONTEXTS)?;
            if let TlsSetting::CaCertificate(file)
            | TlsSetting::ClientCertificate(file)
            | TlsSetting::ClientKey(file) = setting
            {
                check_name(file)?;
            }
            encode_answer(*context, setting, writer);
        }
        Request::QueryTls { context, key } => {
            let context = in_range("the TLS context", *context, 0, CONTEXTS)?;
            writer.quoted(name(*key)).integer(context);
        }
        Request::Upload {
            name,
            length,
            timeout_seconds,
        } => {
            writer
                .quoted(check_name(name)?)
                .integer(length_in_range("the file", *length, MAX_FILE)?)
                .optional_integer(*timeout_seconds);
        }
        _ => {}
    }
    Ok(())
}

fn check_name(name: &str) -> Result<&str, EncodeError> {
    let field = "the file name";
    carriable(field, not_empty(field, name)?, NAME_LIMIT)
}

/// What stands behind `+LSSLCFG: `.
pub(super) fn encode_answer(
    context: u8,
    setting: &TlsSetting<'_>,
    writer: &mut ParameterWriter<'_>,
) {
    writer.quoted(name(setting.key())).integer(context);
    match setting {
        TlsSetting::CaCertificate(file)
        | TlsSetting::ClientCertificate(file)
        | TlsSetting::ClientKey(file) => writer.quoted(file.as_bytes()),
        TlsSetting::SecurityLevel(level) => writer.integer(*level as u8),
        TlsSetting::Version(version) => writer.integer(*version as u8),
        TlsSetting::ServerName(on) | TlsSetting::IgnoreTime(on) => writer.flag(*on),
    };
}

/// Reads what stands behind the `=` of either command.
pub(super) fn decode<'a>(
    command: &Command<'_>,
    parameters: &mut Parameters<'a>,
) -> Result<Request<'a>, ParameterError> {
    let request = if command.is(FUPL) {
        Request::Upload {
            name: decode_text(parameters, "filename", NAME_LIMIT)?,
            // The limit is not above what an i64 holds.
            length: parameters.integer("filesize", 1, MAX_FILE as i64)?,
            timeout_seconds: parameters.optional_integer("timeout", 1, 65535)?,
        }
    } else {
        let key = decode_key(parameters)?;
        let context = parameters.integer("sslctx", 0, CONTEXTS.into())?;
        if parameters.is_empty() {
            return Ok(Request::QueryTls { context, key });
        }
        Request::ConfigureTls {
            context,
            setting: decode_value(key, parameters)?,
        }
    };
    parameters.end()?;
    Ok(request)
}

/// Reads what stands behind `+LSSLCFG: ` in the answer to a query of `key`.
pub(super) fn decode_answer<'a>(
    key: TlsKey,
    parameters: &mut Parameters<'a>,
) -> Result<(u8, TlsSetting<'a>), ParameterError> {
    if decode_key(parameters)? != key {
        return Err(ParameterError::Unknown { name: "key" });
    }
    let context = parameters.integer("sslctx", 0, CONTEXTS.into())?;
    Ok((context, decode_value(key, parameters)?))
}

/// An empty file name is the answer for a file that is not set.
fn decode_value<'a>(
    key: TlsKey,
    parameters: &mut Parameters<'a>,
) -> Result<TlsSetting<'a>, ParameterError> {
    Ok(match key {
        TlsKey::CaCertificate => {
            TlsSetting::CaCertificate(parameters.text("filename", NAME_LIMIT)?.into())
        }
        TlsKey::ClientCertificate => {
            TlsSetting::ClientCertificate(parameters.text("filename", NAME_LIMIT)?.into())
        }
        TlsKey::ClientKey => TlsSetting::ClientKey(parameters.text("filename", NAME_LIMIT)?.into()),
        TlsKey::SecurityLevel => {
            let level = SecurityLevel::from_number(parameters.integer("seclevel", 0, 2)?);
            TlsSetting::SecurityLevel(level.ok_or(ParameterError::Unknown { name: "seclevel" })?)
        }
        TlsKey::Version => {
            let version = TlsVersion::from_number(parameters.integer("sslversion", 0, 4)?);
            TlsSetting::Version(version.ok_or(ParameterError::Unknown { name: "sslversion" })?)
        }
        TlsKey::ServerName => TlsSetting::ServerName(parameters.flag("sni")?),
        TlsKey::IgnoreTime => TlsSetting::IgnoreTime(parameters.flag("ignorelocaltime")?),
    })
}
