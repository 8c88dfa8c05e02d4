use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader, stdin};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::emulate::{LINE_LIMIT, TIMED_OUT, waits};
use crate::failure::{Failure, FailureKind};
use crate::input::{read_line, unreadable};
use crate::output::print_line;

/// Send commands to a running emulator
///
/// Sends one command to `atmq emulate --control PATH` and prints the answer; the command `help`
/// lists all commands. Without a command, reads commands from stdin, one per line. `wait STATE` is
/// answered when the module is in that state; on timeout the exit code is 4.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print answers as JSON; may also stand in the command
    #[arg(long)]
    json: bool,
    /// Socket given to `atmq emulate --control`
    path: PathBuf,
    /// Command and its arguments, such as `sim out`
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    words: Vec<String>,
}

/// The longest answer, in bytes: more than the status of a module with all its connections.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// How long the emulator may take to answer, beside the time for which it is told to wait.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // What cannot be said needs no emulator.
    let line = match &arguments.words[..] {
        [] => None,
        words => Some(line_of(words)?),
    };
    // Behind a `#` in the line it would be part of a comment.
    let asked = |line: String| match arguments.json {
        true => format!("--json {line}"),
        false => line,
    };
    let path = arguments.path.display().to_string();
    let stream = UnixStream::connect(&arguments.path)
        .await
        .map_err(|error| {
            Failure::new(
                FailureKind::Unavailable,
                format!("cannot connect to {path}: {error}"),
            )
            .hint("is `atmq emulate --control` running with this path?")
        })?;
    let (reader, writer) = stream.into_split();
    let mut emulator = Emulator {
        answers: BufReader::new(reader),
        writer,
        path,
    };
    if let Some(line) = line {
        let answer = emulator.say(&asked(line)).await?;
        return match answer.strip_prefix("error ") {
            Some(why) => Err(Failure::new(kind_of(&answer), why)),
            None => {
                print_line(&answer)?;
                match (is_refusal(&answer), kind_of(&answer)) {
                    (false, _) => Ok(()),
                    (true, FailureKind::TimedOut) => Err(Failure::new(
                        FailureKind::TimedOut,
                        "the emulator has waited in vain",
                    )),
                    (true, kind) => Err(Failure::new(kind, "the emulator refuses")),
                }
            }
        };
    }
    let mut lines = BufReader::new(stdin());
    let mut said = 0;
    let mut failed = Vec::new();
    while let Some(line) = read_line(&mut lines, LINE_LIMIT)
        .await
        .map_err(|error| unreadable("standard input", &error))?
    {
        let Ok(line) = String::from_utf8(line) else {
            let what = "a line of standard input is not UTF-8";
            return Err(Failure::new(FailureKind::Usage, what));
        };
        if is_empty(&line) {
            continue;
        }
        let answer = emulator.say(&asked(line)).await?;
        said += 1;
        failed.extend(is_refusal(&answer).then(|| kind_of(&answer)));
        print_line(&answer)?;
    }
    let count = failed.len();
    let in_vain = failed.iter().all(|kind| *kind == FailureKind::TimedOut);
    match in_vain {
        true if failed.is_empty() => Ok(()),
        true => Err(Failure::new(
            FailureKind::TimedOut,
            format!("{count} of {said} lines waited in vain"),
        )),
        false => Err(Failure::new(
            FailureKind::Refused,
            format!("the emulator refuses {count} of {said} lines"),
        )),
    }
}

/// Whether there is nothing on the line: the emulator does not answer such a one.
fn is_empty(line: &str) -> bool {
    shlex::split(line).is_some_and(|words| words.is_empty())
}

fn is_refusal(answer: &str) -> bool {
    let json = serde_json::from_str::<Value>(answer);
    answer.starts_with("error ") || json.is_ok_and(|json| json["ok"] == false)
}

/// How the program ends after a line that was not done.
fn kind_of(answer: &str) -> FailureKind {
    let json = serde_json::from_str::<Value>(answer);
    let text = answer.strip_prefix("error ").unwrap_or_default();
    match text.starts_with(TIMED_OUT) || json.is_ok_and(|json| json["timed_out"] == true) {
        true => FailureKind::TimedOut,
        false => FailureKind::Refused,
    }
}

/// The words as a line from which the same words are read. One word alone is a line already.
fn line_of(words: &[String]) -> Result<String, Failure> {
    if words.iter().any(|word| word.contains(['\r', '\n', '\0'])) {
        return Err(Failure::new(
            FailureKind::Usage,
            "a word with a line end in it cannot be said",
        )
        .hint("write \\r and \\n with a backslash"));
    }
    let line = match words {
        [line] => line.clone(),
        words => shlex::try_join(words.iter().map(String::as_str))
            .expect("without NUL all can be quoted"),
    };
    match is_empty(&line) {
        true => Err(Failure::new(FailureKind::Usage, "there is nothing to say")
            .hint("`help` lists what can be said")),
        false => Ok(line),
    }
}

/// The emulator at the other end of the socket.
struct Emulator {
    answers: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    path: String,
}

impl Emulator {
    /// Says a line. Returns the one that answers it.
    async fn say(&mut self, line: &str) -> Result<String, Failure> {
        let path = &self.path;
        let gone = |why: String| {
            let what = format!("the emulator at {path} has gone{why}");
            Failure::new(FailureKind::Unavailable, what)
        };
        let sent = self.writer.write_all(format!("{line}\n").as_bytes()).await;
        sent.map_err(|error| gone(format!(": {error}")))?;
        let patience = PATIENCE + waits(line);
        match timeout(patience, read_line(&mut self.answers, ANSWER_LIMIT)).await {
            Ok(Ok(Some(answer))) => Ok(String::from_utf8_lossy(&answer).into_owned()),
            Ok(Ok(None)) => Err(gone(String::new())),
            Ok(Err(error)) => Err(gone(format!(": {error}"))),
            Err(_) => {
                let seconds = patience.as_secs();
                Err(Failure::new(
                    FailureKind::TimedOut,
                    format!("the emulator at {path} does not answer in {seconds} s"),
                ))
            }
        }
    }
}
