//! TLS contexts and the files that they name, as a host sets them up (reference `qmt.md` 7). The
//! commands are those of the vendor sets [`files`] and [`ssl`].

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::connecting::Files;
use super::host::QmtHost;
use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::at::parameter::{ParameterWriter, Parameters};
use crate::commands::vendor::quectel::{files, ssl};
use crate::dialect::shared::{in_range, length_in_range};
use crate::dialect::{Ask, Commanded, Data, EncodeError, Prompt, Step};
use crate::mqtt::{Intent, MAX_FILE, Queried, SecurityLevel, TlsSetUp};

/// How long a file may take at a low rate. No source has it.
const FILE_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(5);

/// The drive that files are stored on.
const DRIVE: &str = "UFS:";

/// The steps that set up a TLS context. Files that the module has are not sent again.
pub(super) fn steps(
    host: &mut QmtHost,
    context: u8,
    set_up: &TlsSetUp,
) -> Result<Vec<Step>, EncodeError> {
    in_range("the TLS context", context, 0, 5)?;
    let (mut steps, mut named) = (Vec::new(), Vec::new());
    // Contexts must not write over each other's files.
    let name = |kind: &str| format!("{DRIVE}atmq_{kind}_{context}.pem");
    let mut file = |host: &mut QmtHost, key, kind: &str, bytes: &Arc<[u8]>| {
        let name = name(kind);
        if host.files.needs(context, &name, bytes) {
            // A module does not write over a file.
            let mut delete = host.checked(
                line(files::QFDEL, |w| {
                    w.quoted(&name);
                }),
                LIMIT,
            )?;
            delete.if_refused = crate::dialect::IfRefused::Nothing;
            steps.push(delete);
            steps.push(upload(host, &name, bytes)?);
        }
        named.push((key, name));
        Ok::<_, EncodeError>(())
    };
    let level = match (&set_up.ca, &set_up.identity) {
        (None, _) => SecurityLevel::None,
        (Some(_), None) => SecurityLevel::Server,
        (Some(_), Some(_)) => SecurityLevel::Mutual,
    };
    if let Some(ca) = &set_up.ca {
        file(host, "cacert", "ca", ca)?;
    }
    if let Some((certificate, key)) = &set_up.identity {
        file(host, "clientcert", "cert", certificate)?;
        file(host, "clientkey", "key", key)?;
    }
    for (key, name) in named {
        steps.push(setting(host, key, context, |w| {
            w.quoted(&name);
        })?);
    }
    for (key, value) in [
        ("seclevel", level as u8),
        ("sslversion", set_up.version as u8),
        ("sni", set_up.server_name.into()),
        ("ignorelocaltime", set_up.ignore_time.into()),
    ] {
        let mut step = setting(host, key, context, |w| {
            w.integer(value);
        })?;
        if key == "sni" && !set_up.server_name {
            // Older firmware has no such key, and sends no name.
            step.if_refused = crate::dialect::IfRefused::Nothing;
        }
        steps.push(step);
    }
    Ok(steps)
}

fn line(name: &str, write: impl FnOnce(&mut ParameterWriter<'_>)) -> Vec<u8> {
    let mut line = [b"AT", name.as_bytes(), b"="].concat();
    write(&mut ParameterWriter::new(&mut line));
    line.push(b'\r');
    line
}

fn setting(
    host: &QmtHost,
    key: &str,
    context: u8,
    write: impl FnOnce(&mut ParameterWriter<'_>),
) -> Result<Step, EncodeError> {
    let line = line(ssl::QSSLCFG, |writer| {
        write(writer.quoted(key).integer(context));
    });
    host.checked(line, LIMIT)
}

fn upload(host: &QmtHost, name: &str, bytes: &Arc<[u8]>) -> Result<Step, EncodeError> {
    let length = length_in_range("the file", bytes.len(), MAX_FILE)?;
    let line = line(files::QFUPL, |writer| {
        writer.quoted(name).integer(length);
    });
    let mut step = host.checked(line, FILE_LIMIT)?;
    step.data = Some(Data {
        ask: ask(bytes.len(), None),
        bytes: bytes.to_vec(),
        // It may be a key.
        secret: true,
    });
    Ok(step)
}

/// What asks for the bytes of a file; the module waits 5 s for the next unless it is told otherwise.
fn ask(length: usize, seconds: Option<u16>) -> Ask {
    Ask {
        prompt: Prompt::Line(b"CONNECT"),
        length: Some(length),
        end: DataEnd::Length,
        patience: Some(Duration::from_secs(
            seconds.unwrap_or(files::PATIENCE).into(),
        )),
        escapable: false,
    }
}

/// The first command of a line.
fn command_in(line: &[u8]) -> Option<Command<'_>> {
    let body = line.get(2..)?;
    let body = body.strip_suffix(b"\r").unwrap_or(body);
    Some(Command::split_first(body, |_| true).0)
}

/// The name and length of a file that a command line stores.
pub(super) fn upload_in(line: &[u8]) -> Option<(String, usize, Option<u16>)> {
    let command = command_in(line).filter(|command| command.is(files::QFUPL))?;
    let Form::Set(values) = command.form else {
        return None;
    };
    let mut values = Parameters::new(values);
    let name = values.text("filename", files::NAME_LIMIT).ok()?.into();
    let length = values.integer("file_size", 1, MAX_FILE as i64).ok()?;
    let seconds = values.optional_integer("timeout", 1, 65535).ok()?;
    Some((name, length, seconds))
}

/// What a command line does that stores a file or sets up a context.
pub(super) fn command(line: &[u8]) -> Option<Commanded> {
    if let Some((name, length, seconds)) = upload_in(line) {
        return Some(Commanded {
            intent: Intent::Upload { name, length },
            ask: Some(ask(length, seconds)),
            report: None,
            limit: FILE_LIMIT,
        });
    }
    let command = command_in(line).filter(|command| command.is(ssl::QSSLCFG))?;
    let Form::Set(values) = command.form else {
        return None;
    };
    let mut values = Parameters::new(values);
    values.required("key").ok()?;
    let context = values.integer("ctx_index", 0, 5).ok()?;
    let intent = match values.is_empty() {
        true => Intent::Query {
            connection: None,
            what: Queried::Tls(context),
        },
        false => Intent::ConfigureTls { context },
    };
    Some(Commanded {
        intent,
        ask: None,
        report: None,
        limit: LIMIT,
    })
}

/// Whether a line answers the command of files or TLS that is pending.
pub(super) fn answers(line: &[u8], pending: &[u8]) -> bool {
    let command = command_in(pending);
    let mut names = [files::QFUPL, files::QFDEL, ssl::QSSLCFG].into_iter();
    command.is_some_and(|command| {
        names.any(|name| {
            command.is(name)
                && line
                    .strip_prefix(name.as_bytes())
                    .is_some_and(|rest| rest.starts_with(b":"))
        })
    })
}

impl Files {
    /// Whether the command line stores a file, which the module has now.
    pub(super) fn carried_out(&mut self, line: &[u8]) -> bool {
        let upload = upload_in(line);
        if let Some((name, ..)) = &upload {
            self.stored(name);
        }
        upload.is_some()
    }
}
