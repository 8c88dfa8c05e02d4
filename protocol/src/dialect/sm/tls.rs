//! How a host gives the module certificates and keys: as files, which the module converts, and of
//! which it is told the names (reference `sm.md` 5).

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::host::SmHost;
use super::request::{Request, Tls};
use super::table::LOCAL;
use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::at::parameter::{Parameter, Parameters};
use crate::dialect::shared::in_range;
use crate::dialect::{Ask, Data, EncodeError, IfRefused, Prompt, Step};
use crate::mqtt::{TlsSetUp, TlsVersion};

/// The longest piece of a file, in bytes.
const PIECE: usize = 10240;
/// How long the module waits for a piece, in milliseconds: as long as it can.
const PATIENCE_MS: u64 = 10_000;
/// How long storing and converting may take (inferred: no source has it).
const FILES: Duration = Duration::from_secs(30);

/// The number of `AT+CSSLCFG="SSLVERSION"`: 3 is documented as TLS 1.2, the others are inferred.
fn version(version: TlsVersion) -> u8 {
    match version {
        TlsVersion::All | TlsVersion::Ssl3 => 0,
        TlsVersion::V1_0 => 1,
        TlsVersion::V1_1 => 2,
        TlsVersion::V1_2 => 3,
    }
}

fn step(line: String, limit: Duration) -> Step {
    let mut step = Step::new(line.into_bytes(), limit);
    step.line.push(b'\r');
    step
}

fn local(line: String) -> Step {
    step(line, Duration::from_secs(LOCAL.into()))
}

/// The steps that have the module use this context, which is set to this unless that has been done.
/// Files that the module has are not sent again.
pub(super) fn steps(
    host: &mut SmHost,
    context: u8,
    set_up: &TlsSetUp,
    server: &str,
) -> Result<Vec<Step>, EncodeError> {
    // Contexts must not write over each other's files.
    let name = |kind: &str| format!("atmq_{kind}_{context}.pem");
    let (mut files, mut converts) = (Vec::new(), Vec::new());
    let mut file = |name: &str, bytes: &Arc<[u8]>| {
        let needed = host.files.needs(context, name, bytes);
        if needed {
            files.extend(upload(name, bytes));
        }
        needed
    };
    in_range("the TLS context", context, 0, 5)?;
    let mut tls = Tls {
        index: context + 1,
        ..Tls::default()
    };
    if let Some(ca) = &set_up.ca {
        let name = name("ca");
        if file(&name, ca) {
            converts.push(format!("AT+CSSLCFG=\"CONVERT\",2,\"{name}\""));
        }
        tls.ca = name.into();
    }
    if let Some((certificate, key)) = &set_up.identity {
        let (name, key_name) = (name("cert"), name("key"));
        let needed = [file(&name, certificate), file(&key_name, key)];
        if needed.contains(&true) {
            converts.push(format!(
                "AT+CSSLCFG=\"CONVERT\",1,\"{name}\",\"{key_name}\""
            ));
        }
        tls.certificate = name.into();
    }
    let mut steps = Vec::new();
    if !files.is_empty() {
        let mut begin = local("AT+CFSINIT".into());
        // It may have been begun and not ended by an earlier program.
        begin.if_refused = IfRefused::Nothing;
        steps.push(begin);
        steps.append(&mut files);
        steps.push(local("AT+CFSTERM".into()));
    }
    steps.extend(converts.into_iter().map(|line| step(line, FILES)));
    let version = version(set_up.version);
    let ignored = u8::from(set_up.ignore_time);
    steps.push(local(format!(
        "AT+CSSLCFG=\"SSLVERSION\",{context},{version}"
    )));
    let server = if set_up.server_name { server } else { "" };
    steps.push(local(format!("AT+CSSLCFG=\"SNI\",{context},\"{server}\"")));
    steps.push(local(format!(
        "AT+CSSLCFG=\"IGNORERTCTIME\",{context},{ignored}"
    )));
    steps.push(host.step(&Request::Tls(tls))?);
    Ok(steps)
}

/// A file in pieces: the first takes the place of an older file, the others are appended.
fn upload(name: &str, bytes: &[u8]) -> Vec<Step> {
    let pieces = bytes.chunks(PIECE).enumerate();
    let pieces = pieces.map(|(at, piece)| {
        let (mode, length) = (u8::from(at > 0), piece.len());
        let line = format!("AT+CFSWFILE=3,\"{name}\",{mode},{length},{PATIENCE_MS}");
        let mut step = step(line, FILES);
        step.data = Some(Data {
            ask: Ask {
                prompt: Prompt::Line(b"DOWNLOAD"),
                length: Some(length),
                end: DataEnd::Length,
                patience: Some(Duration::from_millis(PATIENCE_MS)),
                escapable: false,
            },
            bytes: piece.to_vec(),
            // It may be a key.
            secret: true,
        });
        step
    });
    pieces.collect()
}

/// The files that a command has converted.
pub(super) fn converted(line: &[u8]) -> impl Iterator<Item = String> {
    let body = line.get(2..).unwrap_or_default().trim_ascii();
    let (command, _) = Command::split_first(body, |_| true);
    let values = match command.form {
        Form::Set(values) if command.is("+CSSLCFG") => values,
        _ => b"",
    };
    let mut values = Parameters::new(values);
    let key = values.next().map_or(&b""[..], Parameter::bytes);
    let converts = key.eq_ignore_ascii_case(b"CONVERT");
    // Behind the kind.
    let names = values.skip(1).take(2).filter(move |_| converts);
    names.map(|name| String::from_utf8_lossy(name.bytes()).to_string())
}
