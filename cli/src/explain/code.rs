//! Final result codes, the prompt, and the numbers of errors.

use atmq_protocol::at::command::Form;
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::spec::{Code, Codes, Source};

use super::{Explained, Explanation, sentence};
use crate::grammar::{all_codes, body, codes, command, split_first};
use crate::visible::visible;

const CODES: Source = Source::standard("V.250 5.7");
const PROMPT: Source = Source::seen("reference lmqtt.md 1.7");

pub(super) fn explain(line: &[u8], asked: Option<&[u8]>) -> Option<Explanation> {
    if line == b">" {
        let prompt = "The prompt: the module waits for data, exactly as many bytes as the command has announced.";
        return Some(Explanation::new(prompt).from(PROMPT));
    }
    let reported = asked.and_then(body).is_some_and(|asked| {
        let (first, _) = split_first(asked);
        let known = command(first.name).filter(|_| matches!(first.form, Form::Set(_)));
        known.is_some_and(|known| known.report.is_some())
    });
    let asked = match asked {
        Some(command) => name(command),
        None => "the command".to_owned(),
    };
    Some(match FinalResult::decode(line)? {
        FinalResult::Ok => {
            let done = format!("The module has taken {asked}.");
            let done = Explanation::new(done).from(CODES);
            if reported {
                return Some(done.and("What came of it is reported in a line of its own."));
            }
            done
        }
        FinalResult::Error => Explanation::new(format!("The module refuses {asked}."))
            .and("It does not say why: after AT+CMEE=1 it gives a number, after AT+CMEE=2 words.")
            .from(CODES),
        FinalResult::Cme(CmeError::Code(number)) => {
            let number = number.into();
            let codes = match codes("HTTP") {
                http if http.find(number).is_some() => http,
                _ => &Codes::CME,
            };
            numbered(codes, number, &format!("The module refuses {asked}"))
        }
        FinalResult::Cme(CmeError::Text(words)) => {
            let number = CmeError::Text(words.clone()).number().map(i64::from);
            worded(&Codes::CME, number, &words, &asked)
        }
        FinalResult::CmsText(words) => worded(&Codes::CMS, None, &words, &asked),
        FinalResult::Cms(number) => numbered(
            &Codes::CMS,
            number.into(),
            &format!("The module refuses {asked}"),
        ),
        FinalResult::Connect(_) => Explanation::new(
            "The module waits for data, exactly as many bytes as the command has announced.",
        )
        .from(CODES),
        FinalResult::NoCarrier => {
            Explanation::new("There is no call, or it has ended.").from(CODES)
        }
    })
}

/// An error in words: what its number means, if it is known or the words are those of one.
fn worded(codes: &Codes, number: Option<i64>, words: &str, asked: &str) -> Explanation {
    let of = format!("The module refuses {asked}");
    let same = |code: &&Code| code.meaning.eq_ignore_ascii_case(words);
    let named = || codes.codes.iter().find(same).map(|code| code.number);
    match number.or_else(named) {
        Some(number) => numbered(codes, number, &of),
        None => Explanation::new(format!("{of}: {}.", visible(words.as_bytes()))),
    }
}

/// The numbers of a place, by what a person calls it.
fn named(name: &str) -> Option<&'static Codes> {
    all_codes().find(|codes| codes.name.eq_ignore_ascii_case(name))
}

/// `CME 30`, `STATS 13`, and other numbers by the name of their place.
pub(super) fn explain_number(text: &str) -> Option<Explanation> {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '-'));
    let words: Vec<_> = words.by_ref().filter(|word| !word.is_empty()).collect();
    let (name, number) = match words[..] {
        [name, number] | [name, "ERROR" | "error", number] => (name, number.parse().ok()?),
        _ => return None,
    };
    let codes = named(name)?;
    Some(numbered(codes, number, &format!("{} {number}", codes.name)))
}

/// All numbers of a place by its name, such as `STATS`.
pub(super) fn explain_numbers(name: &str) -> Option<Explanation> {
    let codes = named(name)?;
    let values = codes.codes.iter().map(|code| Explained {
        name: code.number.to_string(),
        value: String::new(),
        meaning: match code.advice {
            "" => code.meaning.to_owned(),
            advice => format!("{}; {advice}", code.meaning),
        },
    });
    let what = format!("each of these numbers is {}", codes.what);
    Some(
        Explanation::new(sentence(&what))
            .with(values.collect())
            .from(codes.source),
    )
}

/// What a number means, behind what it is said of.
pub(super) fn numbered(codes: &Codes, number: i64, of: &str) -> Explanation {
    let Some(Code {
        meaning, advice, ..
    }) = codes.find(number)
    else {
        return Explanation::new(format!("{of}: number {number}, of which nothing is known."))
            .and(sentence(&format!("it is {}", codes.what)))
            .unknown();
    };
    let explanation = Explanation::new(format!("{of}: {meaning}.")).from(codes.source);
    if advice.is_empty() {
        return explanation;
    }
    explanation.and(sentence(advice))
}

/// A command without its parameters, among which there may be a secret.
fn name(command: &[u8]) -> String {
    let end = command.iter().position(|byte| *byte == b'=');
    let shown = match end {
        Some(at) if command.get(at + 1) != Some(&b'?') => &command[..at],
        _ => command,
    };
    visible(shown.trim_ascii())
}
