//! What can be typed next, and what is being typed, from the grammar.

use super::slash;
use crate::explain::{allowed, wrong};
use crate::grammar::{body, command, commands, is_dialects, limits, split_first};
use atmq_protocol::spec::{Kind, Param, Spec};

/// So many numbers of a range are offered; more would only push them off the screen.
const OFFERED: i64 = 16;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is put in place of the word.
    pub(super) word: String,
    /// What is shown in the list.
    pub(super) shown: String,
}

/// Where in a line the cursor stands.
enum Place<'l> {
    /// In the name of a command, which begins here.
    Name { from: usize, typed: &'l str },
    /// In a parameter.
    Value {
        known: &'static Spec,
        first: &'l str,
        place: usize,
        from: usize,
        typed: &'l str,
    },
}

/// The ways to go on behind `before`, the line up to the cursor, and where the word that they
/// replace begins. `mqtt`: whether the module has the MQTT commands.
pub(super) fn complete(before: &str, mqtt: bool) -> (usize, Vec<Candidate>) {
    if let Some(text) = before.strip_prefix('/') {
        let Some((name, rest)) = text.split_once(' ') else {
            return (0, slash::complete(before));
        };
        let from = before.len() - rest.len();
        let (at, candidates) = match name {
            "explain" => complete(rest, mqtt),
            "wait" => (0, slash::complete_wait(rest)),
            _ => (0, Vec::new()),
        };
        return (from + at, candidates);
    }
    if before.len() < 2 && "AT".starts_with(&before.to_ascii_uppercase()) {
        let all = "AT".to_owned();
        let shown = all.clone();
        return (0, vec![Candidate { word: all, shown }]);
    }
    match place(before) {
        Some(Place::Name { from, typed }) => (from, names(typed, mqtt)),
        Some(Place::Value {
            known,
            first,
            place,
            from,
            typed,
        }) => (from, values(known, first, place, typed)),
        None => (before.len(), Vec::new()),
    }
}

/// What stands at the cursor, on one line.
pub(super) fn hint(before: &str) -> Option<String> {
    if before.starts_with('/') {
        return slash::hint(before);
    }
    match place(before)? {
        Place::Name { typed, .. } => {
            let known = command(typed.trim_end_matches(['?', '=']).as_bytes());
            let known = known.filter(|known| !known.name.is_empty())?;
            Some(format!("AT{} {}", known.name, known.does))
        }
        Place::Value {
            known,
            first,
            place,
            typed,
            ..
        } => {
            if typed == "?" && place == 0 {
                return Some(format!("asks what AT{} takes", known.name));
            }
            let Some(parameter) = known.parameter(first.as_bytes(), place) else {
                return Some(format!("AT{} is not known to take more", known.name));
            };
            Some(explain(known, parameter, typed))
        }
    }
}

fn explain(known: &Spec, parameter: &Param, typed: &str) -> String {
    let value = unquoted(typed).as_bytes();
    let mut line = parameter.name.to_owned();
    let allowed = allowed(known, parameter);
    if !allowed.is_empty() {
        line.push_str(&format!(" ({allowed})"));
    }
    if parameter.optional {
        line.push_str(", optional");
    }
    let about = match (parameter.kind, known.key(value)) {
        (Kind::Key, Some(key)) => key.sets.to_owned(),
        _ => match parameter.read(value) {
            Some(meaning) if !value.is_empty() => format!("{}: {meaning}", parameter.meaning),
            _ => parameter.described_values(),
        },
    };
    line.push_str(&format!(": {about}"));
    if parameter.is_secret() {
        line.push_str("; it is not kept in the history");
    }
    if parameter.name == "msg" {
        line.push_str(&format!("; {} bytes typed", value.len()));
    }
    let wrong = wrong(known, parameter, value);
    if let Some(why) = wrong.filter(|_| !value.is_empty()) {
        line.push_str(&format!(" — {why}"));
    }
    line
}

fn place(before: &str) -> Option<Place<'_>> {
    let mut rest = body(before.as_bytes()).and_then(|_| before.get(2..))?;
    loop {
        let (first, left) = split_first(rest.as_bytes());
        let owned = is_dialects(first.name);
        if owned || (left.is_empty() && !rest.ends_with(';')) {
            break;
        }
        // Another command of the line begins.
        rest = rest.get(rest.len() - left.len()..)?;
        if rest.is_empty() {
            break;
        }
    }
    let from = before.len() - rest.len();
    let Some((name, parameters)) = rest.split_once('=') else {
        return Some(Place::Name { from, typed: rest });
    };
    let known = command(name.trim_end().as_bytes())?;
    let commas = commas(parameters);
    let first = parameters.get(..commas.first().copied().unwrap_or(parameters.len()))?;
    let place = commas.len().min(known.rest().unwrap_or(usize::MAX));
    let start = match place {
        0 => 0,
        place => commas[place - 1] + 1,
    };
    Some(Place::Value {
        known,
        first: unquoted(first),
        place,
        from: before.len() - parameters.len() + start,
        typed: &parameters[start..],
    })
}

/// Where commas stand outside of quotes.
fn commas(parameters: &str) -> Vec<usize> {
    let mut quoted = false;
    let places = parameters.char_indices().filter(|(_, character)| {
        quoted ^= *character == '"';
        *character == ',' && !quoted
    });
    places.map(|(at, _)| at).collect()
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

fn names(typed: &str, mqtt: bool) -> Vec<Candidate> {
    let upper = typed.to_ascii_uppercase();
    if let Some(known) = command(upper.as_bytes()).filter(|known| !known.name.is_empty()) {
        let longer = commands()
            .any(|other| other.name.starts_with(known.name) && other.name.len() > known.name.len());
        // Basic commands take their number at once.
        if !longer && known.name.starts_with('+') {
            let forms = known.forms().map(|shown| Candidate {
                word: shown.trim_start_matches("AT").to_owned(),
                shown,
            });
            return forms.collect();
        }
    }
    let offered = commands().filter(|known| {
        let owned = is_dialects(known.name.as_bytes());
        known.name.starts_with(&upper) && !known.name.is_empty() && (mqtt || !owned)
    });
    // Without a sign there are only the few of one letter.
    let offered = offered.filter(|known| !upper.is_empty() || known.name.starts_with('+'));
    offered
        .map(|known| Candidate {
            word: known.name.to_owned(),
            shown: format!("AT{}", known.name),
        })
        .collect()
}

fn values(known: &Spec, first: &str, place: usize, typed: &str) -> Vec<Candidate> {
    let Some(parameter) = known.parameter(first.as_bytes(), place) else {
        return Vec::new();
    };
    let prefix = unquoted(typed).to_ascii_lowercase();
    let starts = |word: &str| word.to_ascii_lowercase().starts_with(&prefix);
    let quoted = |word: &str, shown: String| Candidate {
        word: format!("\"{word}\""),
        shown,
    };
    match parameter.kind {
        Kind::Key => known
            .keys
            .iter()
            .filter(|key| starts(key.name))
            .map(|key| quoted(key.name, format!("\"{}\"", key.name)))
            .collect(),
        Kind::Words(words) => words
            .iter()
            .filter(|word| starts(word))
            .map(|word| quoted(word, format!("\"{word}\"")))
            .collect(),
        _ => numbers(known, parameter)
            .into_iter()
            .filter(|number| number.starts_with(typed.trim()))
            .map(|word| Candidate {
                shown: match parameter.read(word.as_bytes()) {
                    Some(meaning) => format!("{word} {meaning}"),
                    None => word.clone(),
                },
                word,
            })
            .collect(),
    }
}

/// The numbers that may stand here; none if there are too many.
fn numbers(known: &Spec, parameter: &Param) -> Vec<String> {
    let ranges = parameter.ranges(limits(known));
    let within = |number: i64| {
        ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&number))
    };
    let count: i64 = ranges.iter().map(|(low, high)| high - low + 1).sum();
    if count <= OFFERED {
        let all = ranges.iter().flat_map(|(low, high)| *low..=*high);
        return all.map(|number| number.to_string()).collect();
    }
    let special = parameter.values.iter().map(|(value, _)| *value);
    special
        .filter(|value| value.parse().is_ok_and(within))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(before: &str) -> (usize, Vec<String>) {
        let (from, candidates) = complete(before, true);
        let words = candidates.into_iter().map(|candidate| candidate.word);
        (from, words.collect())
    }

    #[test]
    fn names_forms_keys_and_values_are_completed() {
        for (before, from, expected) in [
            ("", 0, &["AT"][..]),
            ("a", 0, &["AT"]),
            ("AT+LMQTTO", 2, &["+LMQTTOPEN"]),
            ("at+lmqtto", 2, &["+LMQTTOPEN"]),
            ("AT+LMQTTPUB", 2, &["+LMQTTPUB", "+LMQTTPUBEX"]),
            (
                "AT+LMQTTCONN",
                2,
                &["+LMQTTCONN=?", "+LMQTTCONN?", "+LMQTTCONN="],
            ),
            ("ATE0;+CSC", 5, &["+CSCS", "+CSCA"]),
            ("AT+LMQTTCFG=\"ke", 12, &["\"keepalive\""]),
            (
                "AT+LMQTTCFG=s",
                12,
                &["\"session\"", "\"send/mode\"", "\"sslenable\""],
            ),
            ("AT+LMQTTCFG=\"session\",0,", 24, &["0", "1"]),
            ("AT+LMQTTPUB=0,1,", 16, &["0", "1", "2"]),
            (
                "AT+LMQTTSUBUNSUB=0,0,1,\"a,b\",1,\"c\",",
                35,
                &["0", "1", "2"],
            ),
            ("AT+CGDCONT=1,\"ipv", 13, &["\"IPV6\"", "\"IPV4V6\""]),
            ("AT+CFUN=", 8, &["0", "1", "4"]),
            ("AT+NOSUCH=", 10, &[]),
            ("hello", 5, &[]),
            ("/ex", 0, &["/explain"]),
            ("/explain AT+LMQTTO", 11, &["+LMQTTOPEN"]),
            ("/wait +LMQTTU", 6, &["+LMQTTURC: RECV", "+LMQTTURC: STATS"]),
        ] {
            let expected = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(before), (from, expected), "{before}");
        }
        assert!(words("AT+C").1.len() > 20);
        assert_eq!(complete("AT+LMQTTO", false).1, []);
    }

    #[test]
    fn the_parameter_under_the_cursor_is_explained() {
        for (before, words) in [
            ("AT+LMQTTPUB", "AT+LMQTTPUB publishes"),
            ("AT+LMQTTPUB=", "tcpconnectID (0-4): which connection"),
            (
                "AT+LMQTTPUB=0,1,",
                "qos (0-2): the quality of service: 0 at most once, 1",
            ),
            ("AT+LMQTTPUB=0,1,1", "the quality of service: at least once"),
            ("AT+LMQTTPUB=0,1,7", "not within 0-2"),
            ("AT+LMQTTPUB=0,1,1,0,\"t\",9,\"a,\"b", "4 bytes typed"),
            (
                "AT+LMQTTCFG=\"keepalive\",0,",
                "seconds (0-3600): seconds, 0 for never; default 120",
            ),
            ("AT+LMQTTCFG=\"keepalive\",0,60,", "not known to take more"),
            ("AT+LMQTTCFG=\"keepalive", "pings the broker"),
            ("AT+LMQTTCONN=0,\"i\",\"u\",\"", "not kept in the history"),
            ("AT+LMQTTPUB=?", "asks what AT+LMQTTPUB takes"),
            ("/wait", "/wait REGEX [SECONDS]"),
        ] {
            let hint = hint(before).unwrap_or_else(|| panic!("no hint for {before}"));
            assert!(hint.contains(words), "{before}: {hint}");
        }
        for nothing in ["", "AT", "hello", "AT+NOSUCH=1"] {
            assert_eq!(hint(nothing), None, "{nothing}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_typed(before in "(AT)?[+/&]?(LMQTTCFG|LMQTTPUB|CSQ|wait|E)?[=?; ]{0,2}\\PC{0,12}") {
            let (from, _) = complete(&before, true);
            assert!(before.is_char_boundary(from));
            let _ = hint(&before);
        }
    }
}
