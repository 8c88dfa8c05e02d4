use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, stdin};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::failure::{Failure, FailureKind};
use crate::output::print_line;

/// Change what surrounds an emulated module while it runs
///
/// Says words to `atmq emulate --control PATH` and prints what it answers: `help` lists them.
/// Without words, lines are read from standard input.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The socket that the emulator was given
    path: PathBuf,
    /// What to say, such as sim out; with --json the answer is JSON
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// How long the emulator may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
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
        answers: BufReader::new(reader).lines(),
        writer,
        path,
    };
    if !arguments.words.is_empty() {
        let line = line_of(&arguments.words)?;
        let answer = emulator.say(&line).await?;
        return match answer.strip_prefix("error ") {
            Some(why) => Err(Failure::new(FailureKind::Refused, why)),
            None => {
                print_line(&answer)?;
                match is_refusal(&answer) {
                    true => Err(Failure::new(FailureKind::Refused, "the emulator refuses")),
                    false => Ok(()),
                }
            }
        };
    }
    let mut lines = BufReader::new(stdin()).lines();
    let (mut said, mut refused) = (0, 0);
    while let Some(line) = lines.next_line().await.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot read standard input: {error}"),
        )
    })? {
        // The emulator does not answer a line with nothing on it.
        if shlex::split(&line).is_some_and(|words| words.is_empty()) {
            continue;
        }
        let answer = emulator.say(&line).await?;
        said += 1;
        refused += usize::from(is_refusal(&answer));
        print_line(&answer)?;
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::new(
            FailureKind::Refused,
            format!("the emulator refuses {refused} of {said} lines"),
        )),
    }
}

fn is_refusal(answer: &str) -> bool {
    let json = serde_json::from_str::<Value>(answer);
    answer.starts_with("error ") || json.is_ok_and(|json| json["ok"] == false)
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
    if let [line] = words {
        return Ok(line.clone());
    }
    Ok(shlex::try_join(words.iter().map(String::as_str)).expect("without NUL all can be quoted"))
}

/// The emulator at the other end of the socket.
struct Emulator {
    answers: Lines<BufReader<OwnedReadHalf>>,
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
        match timeout(PATIENCE, self.answers.next_line()).await {
            Ok(Ok(Some(answer))) => Ok(answer),
            Ok(Ok(None)) => Err(gone(String::new())),
            Ok(Err(error)) => Err(gone(format!(": {error}"))),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                Err(Failure::new(
                    FailureKind::TimedOut,
                    format!("the emulator at {path} does not answer in {seconds} s"),
                ))
            }
        }
    }
}
