//! Files: `AT+QFUPL`, `AT+QFLST`, `AT+QFDEL`, `AT+QFDWL` (reference `qmt.md` 7; what the reference does
//! not have, numbers of errors among it, is from general knowledge).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::dialect::{Act, Ask, Face, Finish, Ground, NoData, Prompt, Refused};
use crate::mqtt::MAX_FILE;
use crate::spec::{Param, Source, Spec};

pub(crate) const QFUPL: &str = "+QFUPL";
pub(crate) const QFDEL: &str = "+QFDEL";
const QFLST: &str = "+QFLST";
const QFDWL: &str = "+QFDWL";

/// Longest name of a file, in bytes, with its drive.
pub(crate) const NAME_LIMIT: usize = 80;

/// How long the module waits for the next byte of a file unless the host says otherwise, in seconds.
pub(crate) const PATIENCE: u16 = 5;

/// The drive that files are on if their name has none.
const DRIVE: &str = "UFS:";

const NOT_FOUND: Refused = Refused::Cme(405);
const NO_SPACE: Refused = Refused::Cme(403);
const EXISTS: Refused = Refused::Cme(407);
const TIMEOUT: Refused = Refused::Cme(421);

const NOTE: Source = Source::documented("reference qmt.md 7");
const CONNECT: Prompt = Prompt::Line(b"CONNECT");

const NAME: Param = Param::text(
    "filename",
    NAME_LIMIT,
    "the file; UFS: may stand before its name",
);
const SIZE: Param = Param::number(
    "file_size",
    &[(1, MAX_FILE as i64)],
    "how many bytes it has",
);
const CHECKSUM: Param = Param::bare(
    "checksum",
    "of two bytes each, combined by XOR, in hexadecimal digits",
);

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(QFUPL,
        "stores a file in the module: it answers CONNECT and takes exactly <file_size> bytes", NOTE)
        .takes(&[
            NAME.shown("<filename>"),
            SIZE.shown("[,(1-16384)"),
            Param::number("timeout", &[(1, 65535)], "how long the module waits for the next byte, in seconds")
                .optional().shown("[,(1-65535)"),
            Param::number("ackmode", &[(0, 1)], "whether it acknowledges each kilobyte").optional()
                .shown("[,(0,1)]]]"),
        ]).announces(1, CONNECT).answers(&[SIZE, CHECKSUM]).within(60).acts(),
    Spec::new(QFLST, "lists files, each with its size", NOTE)
        .takes(&[Param::text("pattern", NAME_LIMIT, "which files; * stands for anything").optional()])
        .answers(&[NAME, SIZE]).executes(),
    Spec::new(QFDEL, "removes a file, or all of them by *", NOTE).takes(&[NAME]).within(5).acts(),
    Spec::new(QFDWL, "shows what a file holds, behind CONNECT", NOTE)
        .takes(&[NAME]).answers(&[SIZE, CHECKSUM]).within(60).acts(),
];

/// Takes files in and hands them out; the module around it keeps them.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The file whose bytes come next.
    upload: Option<String>,
}

/// The name by which the module keeps a file.
pub(crate) fn stored_name(name: &str) -> &str {
    match name.get(..DRIVE.len()) {
        Some(drive) if drive.eq_ignore_ascii_case(DRIVE) => &name[DRIVE.len()..],
        _ => name,
    }
}

/// Two bytes each combined by XOR; a last one stands in the upper half.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| match word {
        [high, low] => u16::from_be_bytes([*high, *low]),
        [high] => u16::from_be_bytes([*high, 0]),
        _ => 0,
    });
    words.fold(0, |sum, word| sum ^ word)
}

impl Files {
    fn list(pattern: &str, ground: &dyn Ground, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        let pattern = stored_name(pattern);
        let wanted = |name: &str| match pattern.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == pattern,
        };
        let files = ground.files().into_iter().filter(|name| wanted(name));
        for name in files {
            let length = ground.file(name).map_or(0, <[u8]>::len);
            let line = format!("{QFLST}: \"{DRIVE}{name}\",{length}");
            acts.push(Act::Say(line.into_bytes()));
        }
        Ok(Finish::Ok)
    }
}

impl Face for Files {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let spec = COMMANDS.iter().find(|spec| spec.is(command.name));
        let spec = spec.ok_or(Refused::Unknown)?;
        if command.form == Form::Execute {
            return Self::list("*", ground, acts);
        }
        let values = &mut spec.values(command.form.values(), &crate::dialect::UNKNOWN.limits);
        if command.is(QFLST) {
            let pattern = values.optional_text()?.unwrap_or("*");
            values.end()?;
            return Self::list(pattern, ground, acts);
        }
        let name = stored_name(values.filled_text()?);
        if command.is(QFUPL) {
            let length = values.integer()?;
            let seconds = values.optional_integer()?.unwrap_or(PATIENCE);
            // Nothing is acknowledged before the end.
            values.optional_integer::<u8>()?;
            values.end()?;
            if ground.file(name).is_some() {
                return Err(EXISTS);
            }
            if !ground.has_room(name) {
                return Err(NO_SPACE);
            }
            self.upload = Some(name.into());
            return Ok(Finish::Data(Ask {
                prompt: CONNECT,
                length: Some(length),
                end: DataEnd::Length,
                patience: Some(Duration::from_secs(seconds.into())),
                escapable: false,
            }));
        }
        values.end()?;
        if command.is(QFDEL) && name == "*" {
            acts.extend(
                ground
                    .files()
                    .into_iter()
                    .map(|name| Act::Remove { name: name.into() }),
            );
            return Ok(Finish::Ok);
        }
        let bytes = ground.file(name).ok_or(NOT_FOUND)?;
        if command.is(QFDEL) {
            acts.push(Act::Remove { name: name.into() });
        } else {
            acts.push(Act::Stream(bytes.to_vec()));
            let line = format!("{QFDWL}: {},{:x}", bytes.len(), checksum(bytes));
            acts.push(Act::Say(line.into_bytes()));
        }
        Ok(Finish::Ok)
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if let Some(name) = self.upload.take() {
            let line = format!("{QFUPL}: {},{:x}", data.len(), checksum(data));
            acts.push(Act::Say(line.into_bytes()));
            let bytes = data.to_vec();
            acts.push(Act::Store { name, bytes });
        }
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.upload = None;
        Err(TIMEOUT)
    }

    fn restarted(&mut self) {
        *self = Self::default();
    }
}
