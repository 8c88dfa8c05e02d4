use std::io::IsTerminal as _;

use atmq_protocol::at::result_code::FinalResult;
use serde_json::{Value, json};
use tokio::io::BufReader;

use super::code::{explain_number, explain_numbers};
use super::{Explanation, explain_line, sentence};
use crate::failure::{Failure, FailureKind};
use crate::grammar::{self, redacted};
use crate::input::{DATA_LIMIT, read_line, unreadable};
use crate::output::print_line;
use crate::visible::json as to_line;

/// Explain a command, response, URC, error number or lint rule, and cite the source
///
/// TEXT is a line as the module or the host sends it, the name of a command, key or lint rule, or a
/// kind of number and the number, such as `CME 30`, `STATS 13`, `OPEN 4`, `CONNACK 5` or `PUB 1`.
/// No module is needed. Without TEXT, reads a log from stdin; time stamps and arrows that terminal
/// programs put before a line are ignored.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Command that TEXT answers; some lines have a different meaning as an answer
    #[arg(long, value_name = "COMMAND")]
    to: Option<String>,
    /// Print one line of JSON for each explanation
    #[arg(long)]
    json: bool,
    /// What to explain [default: each line of stdin]
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { to, json, text } = arguments;
    let to = to.as_deref().map(str::as_bytes);
    if let Some(text) = text {
        // What is explained as a value must not be a secret in the wrong place.
        let text = &redacted(text);
        let explanation = explain_text(text, to).ok_or_else(|| unknown(text))?;
        return print(text, &explanation, *json);
    }
    if std::io::stdin().is_terminal() {
        let failure = Failure::new(FailureKind::Usage, "there is nothing to explain");
        return Err(failure.hint("give a line, such as '+CME ERROR: 3'"));
    }
    // Each line answers the command before it.
    let mut asked = to.map(<[u8]>::to_vec);
    let mut lines = BufReader::new(tokio::io::stdin());
    while let Some(line) = read_line(&mut lines, DATA_LIMIT)
        .await
        .map_err(|error| unreadable("standard input", &error))?
    {
        // A log may hold the noise of a wrong rate.
        let line = String::from_utf8_lossy(&line);
        let line = redacted(line.strip_suffix('\r').unwrap_or(&line));
        let explanation = explain_line(line.as_bytes(), asked.as_deref());
        match explanation {
            Some(explanation) if *json => print(&line, &explanation, true)?,
            None if *json => print_line(to_line(&json!({ "text": line })))?,
            Some(explanation) => {
                print_line(format!("{line}\n    {}", explanation.brief()))?;
            }
            None => print_line(line.as_bytes())?,
        }
        if grammar::body(line.trim().as_bytes()).is_some() {
            asked = Some(line.trim().as_bytes().to_vec());
        } else if FinalResult::decode(line.trim().as_bytes()).is_some() {
            asked = None;
        }
    }
    Ok(())
}

fn print(text: &str, explanation: &Explanation, json: bool) -> Result<(), Failure> {
    if !json {
        return print_line(explanation.lines().join("\n"));
    }
    let mut line = explanation.json();
    if let Value::Object(object) = &mut line {
        object.insert("text".to_owned(), text.into());
    }
    print_line(to_line(&line))
}

fn unknown(text: &str) -> Failure {
    let what = format!("nothing is known of `{text}`");
    Failure::new(FailureKind::Usage, what)
        .hint("give a line as it stands on the wire, a command's name, a key, or a number such as `CME 30`")
}

/// What a person may write to ask: a line, a name, a key, a number with its place.
pub(crate) fn explain_text(text: &str, asked: Option<&[u8]>) -> Option<Explanation> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    explain_line(text.as_bytes(), asked)
        .or_else(|| explain_number(text))
        .or_else(|| explain_numbers(text))
        .or_else(|| {
            // A basic command is known by its AT alone: any word would be a row of them.
            let sign = if text.starts_with(['+', '&']) {
                ""
            } else {
                "+"
            };
            explain_line(format!("AT{sign}{text}").as_bytes(), None)
        })
        .or_else(|| explain_key(text.trim_matches('"')))
}

/// A key of a command.
fn explain_key(name: &str) -> Option<Explanation> {
    let (known, key) =
        grammar::commands().find_map(|known| Some((known, known.key(name.as_bytes())?)))?;
    let values = key.values.iter().map(super::command::explained);
    let text = format!("AT{}=\"{}\" sets {}", known.name, key.name, key.sets);
    Some(
        Explanation::new(sentence(&text))
            .with(values.collect())
            .from(key.source),
    )
}
