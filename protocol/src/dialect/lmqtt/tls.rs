//! TLS contexts and the files they name: `AT+LSSLCFG` and `AT+LFUPL`, both ways.
//!
//! **Unverified.** No source says how a Lierda module is given its certificates. These commands
//! are our own, after Quectel's `AT+QSSLCFG` and `AT+QFUPL` (reference `README.md`, "Decisions").

use super::Request;
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::dialect::EncodeError;
use crate::dialect::shared::{carriable, in_range, length_in_range, not_empty};
use crate::mqtt::{MAX_FILE, SecurityLevel, TlsKey, TlsSetting, TlsVersion};
use crate::spec::Values;

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

fn decode_key(values: &mut Values<'_, '_>) -> Result<TlsKey, ParameterError> {
    let known = values.key()?;
    values.known(key(known.name.as_bytes()))
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

/// Reads what stands behind `AT+LFUPL=`.
pub(super) fn decode_upload<'a>(
    values: &mut Values<'a, '_>,
) -> Result<Request<'a>, ParameterError> {
    Ok(Request::Upload {
        name: values.filled_text()?.into(),
        length: values.integer()?,
        timeout_seconds: values.optional_integer()?,
    })
}

/// Reads what stands behind `AT+LSSLCFG=`.
pub(super) fn decode<'a>(values: &mut Values<'a, '_>) -> Result<Request<'a>, ParameterError> {
    let (key, context) = (decode_key(values)?, values.integer()?);
    if values.is_empty() {
        return Ok(Request::QueryTls { context, key });
    }
    let setting = decode_setting(key, values)?;
    Ok(Request::ConfigureTls { context, setting })
}

/// Reads what stands behind `+LSSLCFG: ` in the answer to a query of `key`.
pub(super) fn decode_answer<'a>(
    key: TlsKey,
    values: &mut Values<'a, '_>,
) -> Result<(u8, TlsSetting<'a>), ParameterError> {
    if decode_key(values)? != key {
        return Err(ParameterError::Unknown { name: "key" });
    }
    Ok((values.integer()?, decode_setting(key, values)?))
}

/// An empty file name is the answer for a file that is not set.
fn decode_setting<'a>(
    key: TlsKey,
    values: &mut Values<'a, '_>,
) -> Result<TlsSetting<'a>, ParameterError> {
    Ok(match key {
        TlsKey::CaCertificate => TlsSetting::CaCertificate(values.text()?.into()),
        TlsKey::ClientCertificate => TlsSetting::ClientCertificate(values.text()?.into()),
        TlsKey::ClientKey => TlsSetting::ClientKey(values.text()?.into()),
        TlsKey::SecurityLevel => {
            let level = values.integer()?;
            TlsSetting::SecurityLevel(values.known(SecurityLevel::from_number(level))?)
        }
        TlsKey::Version => {
            let version = values.integer()?;
            TlsSetting::Version(values.known(TlsVersion::from_number(version))?)
        }
        TlsKey::ServerName => TlsSetting::ServerName(values.flag()?),
        TlsKey::IgnoreTime => TlsSetting::IgnoreTime(values.flag()?),
    })
}
