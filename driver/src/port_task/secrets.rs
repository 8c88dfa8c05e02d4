use std::collections::VecDeque;
use std::ops::Range;

use atmq_protocol::redact::Redactor;
use memchr::memmem;

use crate::session::Transmit;

/// So many secrets are looked for, the last ones that were sent. Ours: more than one connection
/// has.
const KEPT: usize = 16;

/// A secret, or a piece of one at the end of what was read, that is shorter than this is not
/// looked for: it would be found everywhere. In bytes. Ours.
const LEAST: usize = 4;

/// Finds secrets in what a module sends back: where [`Redactor`] knows them, as in the echo of a
/// command line, and wherever else one stands that was sent. What is read may be cut anywhere.
#[derive(Default)]
pub(super) struct Secrets {
    redactor: Redactor,
    known: VecDeque<Vec<u8>>,
    /// The end of what was read before, as far as a secret may have begun in it.
    before: Vec<u8>,
}

impl Secrets {
    /// A line is sent.
    pub(super) fn sent(&mut self, transmit: &Transmit) {
        let hidden = transmit.secrets.iter();
        let hidden = hidden.map(|place| &transmit.bytes[place.clone()]);
        // All behind the first secret is hidden, other secrets among it.
        for secret in hidden.flat_map(|hidden| hidden.split(|byte| *byte == b'"')) {
            if secret.len() < LEAST || self.known.iter().any(|known| known == secret) {
                continue;
            }
            if self.known.len() == KEPT {
                self.known.pop_front();
            }
            self.known.push_back(secret.to_vec());
        }
    }

    /// Where secrets stand in what is read, in order and apart from each other.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = self.redactor.find(bytes);
        self.in_text(bytes, &mut found);
        found.sort_unstable_by_key(|place| place.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for place in found {
            match merged.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => merged.push(place),
            }
        }
        merged
    }

    /// Looks for what is known, also where it has begun before or goes on behind.
    fn in_text(&mut self, bytes: &[u8], found: &mut Vec<Range<usize>>) {
        let earlier = self.before.len();
        let mut text = std::mem::take(&mut self.before);
        text.extend_from_slice(bytes);
        let mut begun = 0;
        for secret in &self.known {
            let whole = memmem::find_iter(&text, secret);
            let whole = whole.map(|at| at..at + secret.len());
            let longest = (secret.len() - 1).min(text.len());
            let beginning = (1..=longest)
                .rev()
                .find(|&length| text.ends_with(&secret[..length]));
            begun = begun.max(beginning.unwrap_or(0));
            let piece = beginning.filter(|&length| length >= LEAST);
            let piece = piece.map(|length| text.len() - length..text.len());
            found.extend(whole.chain(piece).filter_map(|place| {
                let place = place.start.saturating_sub(earlier)..place.end.checked_sub(earlier)?;
                (!place.is_empty()).then_some(place)
            }));
        }
        text.drain(..text.len() - begun);
        self.before = text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::redact;

    fn secrets() -> Secrets {
        let mut found = Secrets::default();
        let bytes = b"AT+LMQTTCONN=0,\"i\",\"u\",\"abab\"\r".to_vec();
        let secrets = atmq_protocol::redact::secrets(&bytes);
        found.sent(&Transmit { bytes, secrets });
        found
    }

    /// What a tap shows of this, read in pieces of so many bytes.
    fn shown(bytes: &[u8], piece: usize) -> String {
        let mut secrets = secrets();
        let mut out = Vec::new();
        for piece in bytes.chunks(piece) {
            let found = secrets.find(piece);
            out.extend_from_slice(&redact(piece, &found));
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn an_echo_shows_no_secret_however_it_is_cut() {
        let echo = b"\r\n+CSQ: 1\r\nAAT+LMQTTCONN=0,\"i\",\"u\",\"abab\"\r\r\nOK\r\n";
        assert_eq!(
            shown(echo, usize::MAX),
            "\r\n+CSQ: 1\r\nAAT+LMQTTCONN=0,\"i\",\"u\",\"***\"\r\r\nOK\r\n"
        );
        for piece in 1..echo.len() {
            let shown = shown(echo, piece);
            assert!(!shown.contains("ab"), "{shown}");
            let rest: String = shown.split("***").collect();
            let line = "\r\n+CSQ: 1\r\nAAT+LMQTTCONN=0,\"i\",\"u\",\"";
            assert!(rest.starts_with(line), "{shown}");
            assert!(rest.ends_with("\r\r\nOK\r\n"), "{shown}");
        }
    }

    /// A damaged echo, or an answer that shows what was set.
    #[test]
    fn a_known_secret_is_found_anywhere() {
        let answer = b"\r\n+C: \"abab\"\r\n\r\nabab";
        assert_eq!(shown(answer, usize::MAX), "\r\n+C: \"***\"\r\n\r\n***");
        for piece in 1..answer.len() {
            let shown = shown(answer, piece);
            assert!(!shown.contains("abab"), "{piece}: {shown}");
        }
    }

    #[test]
    fn where_nothing_was_sent_nothing_is_hidden() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.find(b"abab"), []);
    }
}
