//! The file system of the modules that speak SM (reference `sm.md` 5).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::dialect::{Act, Ask, Face, Finish, Ground, NoData, Prompt, Refused};
use crate::limits::Limits;
use crate::spec::{Param, Source, Spec};

const MANUAL: Source = Source::documented("reference sm.md 5");
const DOWNLOAD: Prompt = Prompt::Line(b"DOWNLOAD");
const DIRECTORY: Param = Param::number("index", &[(0, 3)], "which directory")
    .values(&[("3", "/customer/, where certificates are looked for")]);
const NAME: Param = Param::text("name", 230, "the file");

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::plain("+CFSINIT", "has memory for the commands about files", MANUAL),
    Spec::plain("+CFSTERM", "gives that memory back", MANUAL),
    Spec::new("+CFSWFILE",
        "stores a file: the module answers DOWNLOAD and takes exactly <size> bytes", MANUAL)
        .takes(&[
            DIRECTORY,
            NAME,
            Param::switch("mode", "what becomes of an older file")
                .values(&[("0", "this one takes its place"), ("1", "this one is appended")]),
            Param::number("size", &[(1, 10240)], "how many bytes come"),
            Param::number("time", &[(100, 10000)], "how long the module waits for them, in milliseconds"),
        ]).announces(3, DOWNLOAD).acts().after("+CFSINIT"),
    Spec::new("+CFSDFILE", "removes a file", MANUAL)
        .takes(&[DIRECTORY, NAME]).acts().after("+CFSINIT"),
];

/// What a file of a directory is called in the module's memory.
pub(super) fn stored_name(directory: u8, name: &str) -> String {
    format!("{directory}/{name}")
}

/// Whether files can be used, and the one that is on its way.
#[derive(Debug)]
pub(super) struct Files {
    limits: Limits,
    ready: bool,
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Asked {
    name: String,
    append: bool,
}

impl Files {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            ready: false,
            asked: None,
        }
    }

    fn set(
        &mut self,
        spec: &'static Spec,
        values: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let mut values = spec.values(values, &self.limits);
        let name = stored_name(values.integer()?, values.filled_text()?);
        if spec.name == "+CFSDFILE" {
            values.end()?;
            ground.file(&name).ok_or(Refused::NOT_ALLOWED)?;
            acts.push(Act::Remove { name });
            return Ok(Finish::Ok);
        }
        let append = values.flag()?;
        let length = values.integer()?;
        let patience = Duration::from_millis(values.integer()?);
        values.end()?;
        if !ground.has_room(&name) {
            return Err(Refused::NOT_ALLOWED);
        }
        self.asked = Some(Asked { name, append });
        Ok(Finish::Data(Ask {
            prompt: DOWNLOAD,
            length: Some(length),
            end: DataEnd::Length,
            patience: Some(patience),
            escapable: false,
        }))
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
        let initialises = spec.name == "+CFSINIT";
        // What is begun cannot be begun again, and what is not cannot be ended (inferred).
        if self.ready == initialises {
            return Err(Refused::NOT_ALLOWED);
        }
        match command.form {
            Form::Set(values) => self.set(spec, values, ground, acts),
            _ => {
                self.ready = initialises;
                Ok(Finish::Ok)
            }
        }
    }

    fn data(
        &mut self,
        data: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let Asked { name, append } = self.asked.take().ok_or(Refused::NOT_ALLOWED)?;
        let before = ground.file(&name).filter(|_| append).unwrap_or_default();
        let bytes = [before, data].concat();
        acts.push(Act::Store { name, bytes });
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        Err(Refused::NOT_ALLOWED)
    }

    fn restarted(&mut self) {
        *self = Self::new(&self.limits);
    }
}
