//! Faults as words have them: added, listed, and told of in the end where they never happened.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use atmq_emulator::modem::{ArmedFault, Effect, Fault, Modem};
use atmq_protocol::at::result_code::FinalResult;
use serde_json::{Value, json};

use super::announce::Announcer;
use super::answer::Answer;
use super::when::When;
use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::output::count;
use crate::visible::json as to_line;

/// Of how a line begins, so much is shown, in characters. Ours.
const SHOWN: usize = 80;

/// Has this happen when the words say.
pub(super) fn add(
    on: String,
    effect: Effect,
    when: &[String],
    modem: &mut Modem,
    now: Instant,
) -> Answer {
    let when = match When::read(when) {
        Ok(when) => when,
        Err(wrong) => return Answer::Refused(wrong),
    };
    if let Err(error) = modem.add_fault(when.of(Fault::new(on, effect), now)) {
        return Answer::Refused(error.to_string());
    }
    let added = modem.faults().last().expect("it has just been added");
    Answer::done(match (when.is_next(), &*added.fault.on) {
        (true, "") if added.fault.effect == Effect::UrcLost => "the next URC".to_owned(),
        (true, "") => "the next line".to_owned(),
        (true, on) => format!("the next {}", shortened(on)),
        (false, on) => format!("{}{when}", quoted(on)),
    })
}

/// The same, where the words begin with the answer to give: its end is its final result code.
pub(super) fn add_answer(
    command: String,
    mut words: Vec<String>,
    modem: &mut Modem,
    now: Instant,
) -> Answer {
    let Some((end, result)) = result_in(&words) else {
        let last = words.pop().unwrap_or_default();
        return Answer::Refused(format!(
            "the answer ends with a final result code, such as OK, ERROR or \"+CME ERROR: 3\", not with {last}"
        ));
    };
    let when = words.split_off(end + 1);
    words.pop();
    let effect = Effect::Answer {
        lines: words,
        result,
        urcs: Vec::new(),
    };
    add(command, effect, &when, modem, now)
}

/// The final result code that ends an answer, and where it stands: none of the words behind it is
/// one.
pub(super) fn result_in(words: &[impl AsRef<str>]) -> Option<(usize, FinalResult)> {
    let mut words = words.iter().enumerate().rev();
    words.find_map(|(at, word)| Some((at, FinalResult::decode(word.as_ref().as_bytes())?)))
}

/// Those that have still to happen, and what is left of them.
pub(super) fn list(modem: &Modem, now: Instant) -> Answer {
    let faults: Vec<_> = modem.faults().map(|armed| Told::of(armed, now)).collect();
    let text = match faults.len() {
        0 => "no fault waits".to_owned(),
        _ => faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    };
    let facts: Vec<_> = faults.into_iter().map(|fault| fault.facts).collect();
    Answer::Done(text, json!({ "faults": facts }))
}

/// Forgets those that have still to happen, and says which of them never have.
pub(super) fn clear(modem: &mut Modem, now: Instant) -> Answer {
    let never = modem.faults().filter(|armed| armed.happened == 0);
    let never: Vec<_> = never.map(|armed| Told::of(armed, now)).collect();
    let forgotten = modem.faults().len();
    modem.clear_faults();
    let text = match never.len() {
        0 => format!("{forgotten} forgotten"),
        count => {
            let words: Vec<_> = never.iter().map(|fault| &*fault.words).collect();
            let words = words.join("; ");
            format!("{forgotten} forgotten, {count} of them never happened: {words}")
        }
    };
    let never: Vec<_> = never.into_iter().map(|fault| fault.facts).collect();
    Answer::Done(
        text,
        json!({ "forgotten": forgotten, "never_happened": never }),
    )
}

/// A fault, for people and for programs.
struct Told {
    words: String,
    facts: Value,
    happened: u32,
}

impl Told {
    fn of(armed: &ArmedFault, now: Instant) -> Self {
        let Fault { on, effect, .. } = &armed.fault;
        let left = When::left(armed, now);
        let (name, more) = match effect {
            Effect::Answer { lines, result, .. } => {
                let dots = if lines.is_empty() { "" } else { " …" };
                (
                    "override",
                    format!("{dots} {}", quoted(&result.to_string())),
                )
            }
            Effect::Late(by) => ("delay", format!(" {}", by.as_millis())),
            Effect::Silent => ("silence", String::new()),
            Effect::ResultLost => ("lose-result", String::new()),
            Effect::UrcLost => ("lose-urc", String::new()),
            // No word asks for these.
            Effect::Outcome(_) => ("outcome", String::new()),
            Effect::Garbage(_) => ("garbage", String::new()),
            Effect::Reboot => ("reboot", String::new()),
        };
        Self {
            words: format!("{name} {}{more}{left}", quoted(on)),
            facts: json!({
                "effect": name,
                "on": on,
                "after_ms": crate::duration::milliseconds(left.after()),
                "every": left.every(),
                "left": left.times(),
                "happened": armed.happened,
            }),
            happened: armed.happened,
        }
    }
}

/// With how often it has happened.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        match self.happened {
            0 => Ok(()),
            happened => write!(f, ", happened {}", count(happened, "time")),
        }
    }
}

/// A fault as `faults` lists it.
pub(super) fn in_words(armed: &ArmedFault, now: Instant) -> String {
    Told::of(armed, now).to_string()
}

/// As it can be said again, if it is not too long.
fn quoted(text: &str) -> String {
    let shown = shortened(text);
    shlex::try_quote(&shown).map_or(shown.clone(), Into::into)
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The faults of a module that no longer runs and that never happened, or less often than was asked
/// for. A test that has asked for those that never happened has tested nothing.
#[derive(Clone, Default)]
pub(super) struct NotHappened(Arc<Mutex<Vec<Told>>>);

impl NotHappened {
    /// Remembers those of this module.
    pub(super) fn remember(&self, modem: &Modem) {
        let now = Instant::now();
        let missing = modem
            .faults()
            .filter(|armed| armed.happened == 0 || armed.left().is_some());
        self.lock()
            .extend(missing.map(|armed| Told::of(armed, now)));
    }

    /// Tells each.
    pub(super) fn tell(&self, announcer: Announcer) -> Result<(), Failure> {
        for fault in &*self.lock() {
            if !announcer.json() {
                tell(&match fault.happened {
                    0 => format!("atmq: this fault never happened: {fault}"),
                    _ => format!("atmq: this fault happened less often than asked: {fault}"),
                });
                continue;
            }
            let mut line = fault.facts.clone();
            line["event"] = "fault".into();
            announcer.announce(&to_line(&line))?;
        }
        Ok(())
    }

    /// Fails if there are any.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let faults = self.lock();
        let faults = faults.iter().filter(|fault| fault.happened == 0).count();
        if faults == 0 {
            return Ok(());
        }
        let what = format!("{} never happened", count(faults, "fault"));
        let failure = Failure::new(FailureKind::Refused, what);
        Err(failure.hint("does it come to these commands and URCs? `clear` forgets a fault"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Told>> {
        self.0.lock().expect("nothing panics with it held")
    }
}
