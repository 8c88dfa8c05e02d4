use std::io::IsTerminal as _;

use atmq_emulator::lint::Rule;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Power;
use atmq_protocol::redact;
use data_encoding::HEXLOWER;
use serde_json::json;
use tokio::io::BufReader;

use super::code::{explain_number, explain_numbers};
use super::{Explanation, explain_line, log, sentence};
use crate::dialect::power;
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
        if !explanation.known {
            let what = explanation.sentences.join(" ");
            return Err(Failure::new(FailureKind::Usage, what.trim_end_matches('.')));
        }
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
        let log = line.strip_suffix(b"\r").unwrap_or(&line);
        let [before, line, behind] = log::parts(log, asked.as_deref());
        let line = redact::redacted(line);
        let explanation = match log::is_prompt(&line, asked.as_deref()) {
            true => explain_line(b">", None),
            false => explain_line(&line, asked.as_deref()),
        };
        // Whatever stands around it may hold a secret in the wrong place.
        let shown = redact::redacted(&[before, &line[..], behind].concat());
        print_log(&shown, explanation.as_ref(), *json)?;
        if log::is_prompt(&line, asked.as_deref()) {
            // What asks for data goes on waiting.
        } else if grammar::body(&line).is_some() {
            asked = Some(line);
        } else if FinalResult::decode(&line).is_some() || has_started(&line) {
            asked = None;
        }
    }
    Ok(())
}

/// Whether the module has forgotten what it was asked.
fn has_started(line: &[u8]) -> bool {
    matches!(power(line), Some(Power::Started | Power::Down))
}

/// Prints a line of a log, with what it means if that is known.
fn print_log(log: &[u8], explanation: Option<&Explanation>, json: bool) -> Result<(), Failure> {
    if json {
        let mut object = explanation.map_or_else(|| json!({}), Explanation::json);
        match str::from_utf8(log) {
            Ok(text) => object["text"] = text.into(),
            Err(_) => object["hex"] = HEXLOWER.encode(log).into(),
        }
        return print_line(to_line(&object));
    }
    let Some(explanation) = explanation else {
        return print_line(log);
    };
    print_line([log, b"\n    ", explanation.brief().as_bytes()].concat())
}

fn print(text: &str, explanation: &Explanation, json: bool) -> Result<(), Failure> {
    match json {
        true => print_log(text.as_bytes(), Some(explanation), true),
        false => print_line(explanation.lines().join("\n")),
    }
}

fn unknown(text: &str) -> Failure {
    let what = format!("nothing is known of `{text}`");
    let failure = Failure::new(FailureKind::Usage, what);
    if let Some(name) = meant(text) {
        return failure.hint(format!("did you mean {name}?"));
    }
    failure
        .hint("give a line as it stands on the wire, a command's name, a key, a rule of the linter, or a number such as `CME 30`")
}

/// What may be meant: a command, a rule of the linter, a key.
fn meant(text: &str) -> Option<String> {
    if grammar::body(text.as_bytes()).is_some() {
        return super::command::meant(text.as_bytes());
    }
    let keys = grammar::commands().flat_map(|known| known.keys);
    let names = keys.map(|key| key.name).chain(Rule::all().map(Rule::id));
    let commands = grammar::commands().map(|known| known.name);
    super::command::nearest(text, names.chain(commands)).map(str::to_owned)
}

/// What a person may write to ask: a line, a name, a key, a number with its place.
pub(crate) fn explain_text(text: &str, asked: Option<&[u8]>) -> Option<Explanation> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let [_, line, _] = log::parts(text.as_bytes(), asked);
    explain_line(line, asked)
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
    let values = key.values.iter();
    let values = values.map(|value| super::command::explained(known, value));
    let text = format!("AT{}=\"{}\" sets {}", known.name, key.name, key.sets);
    Some(
        Explanation::new(sentence(&text))
            .with(values.collect())
            .from(key.source),
    )
}
