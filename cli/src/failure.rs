use std::path::Path;
use std::process::ExitCode;
use std::{fmt, io};

pub(crate) use atmq_driver::chain;

/// How the program ends when it did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    what: String,
    hint: Option<String>,
    /// The exit code, if it is not that of the kind.
    code: Option<u8>,
}

/// The exit code of a [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// 1: the module or the broker said no, or the linter of hosts under `--lint=deny`.
    Refused = 1,
    /// 2: wrong usage, as clap has it too; also of a file that is wrong, or longer than its limit.
    Usage = 2,
    /// 3: a port, link or file is unavailable or was lost.
    Unavailable = 3,
    /// 4: no answer in time.
    TimedOut = 4,
    /// 130: told to stop before it was done, as shells have it for Ctrl-C.
    Stopped = 130,
    /// 141: the reader of standard output went away, as shells have it for SIGPIPE. No error is
    /// printed.
    NobodyReads = 141,
}

/// The exit codes, as every `--help` and manual page lists them.
pub(crate) const EXIT_CODES: [(u8, &str); 7] = [
    (0, "success"),
    (
        1,
        "the module or the broker refused, captures differ, or --lint=deny found something",
    ),
    (2, "wrong usage, or a file that is wrong"),
    (3, "a port, link or file is unavailable"),
    (4, "no answer in time"),
    (130, "stopped by a signal"),
    (
        141,
        "stdout was closed by its reader (as by `head`); no error is printed",
    ),
];

impl Failure {
    pub(crate) fn new(kind: FailureKind, what: impl fmt::Display) -> Self {
        Self {
            kind,
            what: what.to_string(),
            hint: None,
            code: None,
        }
    }

    /// Ends with this exit code, which another program has chosen.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    /// Says first where it was.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        self.what = format!("{place}: {}", self.what);
        self
    }

    /// Says what to try next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says nothing of what to try: it names options that there are not.
    pub(crate) fn without_hint(mut self) -> Self {
        self.hint = None;
        self
    }

    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What was wrong, without what to try.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to try next.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code.unwrap_or(self.kind as u8))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// A file that cannot be made: `what` was to be done with it, such as `record to`.
pub(crate) fn not_written(what: &str, path: &Path, error: &io::Error) -> Failure {
    let (why, hint) = match error.kind() {
        io::ErrorKind::AlreadyExists => (
            "it is there already".to_owned(),
            "choose another name, or replace it by --force",
        ),
        io::ErrorKind::NotFound => (error.to_string(), "make its directory first"),
        _ => (error.to_string(), ""),
    };
    let what = format!("cannot {what} {}: {why}", path.display());
    let failure = Failure::new(FailureKind::Unavailable, what);
    match hint {
        "" => failure,
        hint => failure.hint(hint),
    }
}
