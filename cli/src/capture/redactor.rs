//! What must not be seen, taken out of a stream while it passes.

use atmq_protocol::redact::{ANNOUNCED, PRIVATE_KEY};

use crate::grammar;

/// Longer than any name.
const TAIL: usize = 32;

/// So much of a line can be typed anew with the backspace. Ours: longer than the longest name.
const EDITABLE: usize = 256;

const HIDDEN: &[u8] = b"***";

/// Replaces secrets in one direction of a line by `***`, byte by byte: any split of the stream
/// gives the same. What the module echoes is written as the host writes it, so that both
/// directions are looked through alike.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    /// The last bytes of the line that are no blanks, in capitals.
    tail: Vec<u8>,
    /// Commas that are still to come before a secret.
    commas: Option<usize>,
    /// Of a command that nobody knows, such as one with a typing error: commas and quotes so far.
    unknown: Option<(usize, usize)>,
    /// What has been typed of the line, to be read again when a backspace takes some of it back.
    typed: Vec<u8>,
    hiding: Hiding,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Hiding {
    #[default]
    Nothing,
    /// The value is about to begin.
    Line,
    /// The rest of the line: whether it began with a quote, and whether the last byte was one.
    Value { quoted: bool, ended: bool },
    /// A key, of whose end so many hyphens have come.
    Key { hyphens: usize },
}

impl Redactor {
    /// What may be shown of a whole line, with its end or without.
    pub(crate) fn line(bytes: &[u8]) -> Vec<u8> {
        let (mut redactor, mut out) = (Self::default(), Vec::new());
        redactor.redact(bytes, &mut out);
        out
    }

    /// Appends what may be kept of the bytes.
    pub(crate) fn redact(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.take(*byte, out);
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        let ends_line = matches!(byte, b'\r' | b'\n');
        match &mut self.hiding {
            Hiding::Nothing => {}
            Hiding::Key { hyphens } => {
                *hyphens = if byte == b'-' { *hyphens + 1 } else { 0 };
                if *hyphens == 5 {
                    out.extend_from_slice(b"\n-----");
                    self.end_line();
                }
                return;
            }
            Hiding::Line if ends_line || byte == b' ' => {}
            Hiding::Line => {
                let quoted = byte == b'"';
                if quoted {
                    out.push(b'"');
                }
                out.extend_from_slice(HIDDEN);
                self.hiding = Hiding::Value {
                    quoted,
                    ended: false,
                };
                return;
            }
            Hiding::Value { ended, .. } if !ends_line => {
                *ended = byte == b'"';
                return;
            }
            Hiding::Value { quoted, ended } => {
                // So the line can still be read as a command.
                if *quoted && *ended {
                    out.push(b'"');
                }
            }
        }
        out.push(byte);
        match byte {
            b'\r' | b'\n' => self.end_line(),
            0x08 | 0x7f => self.take_back(),
            _ => self.read(byte),
        }
    }

    /// Reads a byte that is no secret.
    fn read(&mut self, byte: u8) {
        if self.typed.len() < EDITABLE {
            self.typed.push(byte);
        }
        if byte == b' ' {
            return;
        }
        if byte == b',' {
            self.commas = self.commas.map(|left| left.saturating_sub(1));
        }
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(byte.to_ascii_uppercase());
        for (name, commas) in ANNOUNCED {
            if self.tail.ends_with(name) {
                let nearer = self.commas.is_none_or(|left| commas < left);
                self.commas = if nearer { Some(commas) } else { self.commas };
            }
        }
        self.read_unknown(byte);
        if self.commas == Some(0) {
            self.hiding = Hiding::Line;
        } else if self.tail.ends_with(PRIVATE_KEY) {
            // It is kept again from the next five hyphens on.
            self.hiding = Hiding::Key { hyphens: 0 };
        }
    }

    /// What looks like the password of a mistyped connect, behind three commas and two texts, is
    /// hidden as well.
    fn read_unknown(&mut self, byte: u8) {
        if let Some((commas, quotes)) = &mut self.unknown {
            *commas += usize::from(byte == b',');
            *quotes += usize::from(byte == b'"');
            if byte == b',' && *commas >= 3 && *quotes >= 4 {
                self.commas = Some(0);
            }
        } else if byte == b'=' {
            let sign = self.tail.iter().rposition(|byte| *byte == b'+');
            let name = sign.map(|sign| &self.tail[sign..self.tail.len() - 1]);
            let unknown = name.is_some_and(|name| grammar::command(name).is_none());
            self.unknown = unknown.then_some((0, 0));
        }
    }

    fn take_back(&mut self) {
        if self.typed.len() == EDITABLE {
            // What is not known to be taken back still counts, so that a secret is rather hidden
            // too early.
            return;
        }
        let mut typed = std::mem::take(&mut self.typed);
        typed.pop();
        self.end_line();
        for byte in typed {
            self.read(byte);
        }
    }

    fn end_line(&mut self) {
        self.tail.clear();
        self.typed.clear();
        self.commas = None;
        self.unknown = None;
        self.hiding = Hiding::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redacted(bytes: &[u8]) -> String {
        let out = Redactor::line(bytes);
        out.escape_ascii().to_string().replace("\\\"", "\"")
    }

    #[test]
    fn secrets_are_not_kept() {
        for (line, kept) in [
            (
                "AT+LMQTTCONN=0,\"id\",\"user\",\"pass\"\r\n",
                r#"AT+LMQTTCONN=0,"id","user","***"\r\n"#,
            ),
            (
                "AT+LMQTTCONN=0,\"i,d\",\"user\",\"pass\"\r",
                r#"AT+LMQTTCONN=0,"i,d","***"\r"#,
            ),
            (
                "at+lmqttconn = 0,\"id\",\"u\", \"pa\"ss\"\r\nOK",
                r#"at+lmqttconn = 0,"id","u", "***"\r\nOK"#,
            ),
            ("AT+LMQTTCONN=0,\"id\"\r", r#"AT+LMQTTCONN=0,"id"\r"#),
            ("AT+LMQTTCONN=0,id,u,\r", r"AT+LMQTTCONN=0,id,u,\r"),
            (
                "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"ds\",\"pn\",\"ps\"\r",
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn","***"\r"#,
            ),
            (
                "AT+LMQTTCFG=aliauth,0,pk,dn,ds\r",
                r"AT+LMQTTCFG=aliauth,0,pk,dn,***\r",
            ),
            (
                "\r\n+LMQTTCFG: \"aliauth\",\"pk\",\"dn\",\"ds\"\r\n\r\nOK\r\n",
                r#"\r\n+LMQTTCFG: "aliauth","pk","dn","***"\r\n\r\nOK\r\n"#,
            ),
            ("AT+CPIN=1234;+CSQ\rAT\r", r"AT+CPIN=***\rAT\r"),
            ("AT+CPIN?;+CPIN=\"1234\"\r", r#"AT+CPIN?;+CPIN="***"\r"#),
            ("AT+CPINX\x08=\"1234\"\r", r#"AT+CPINX\x08="***"\r"#),
            ("AT+CPINX=1\r", r"AT+CPINX=1\r"),
            // Mistyped.
            (
                "AT+LMQTTCON=0,\"id\",\"user\",\"pass\"\r",
                r#"AT+LMQTTCON=0,"id","user","***"\r"#,
            ),
            (
                "AT+QMTPUB=0,0,0,0,\"t\",\"x\"\r",
                r#"AT+QMTPUB=0,0,0,0,"t","x"\r"#,
            ),
            (
                "AT+LMQTTPUB=0,0,0,0,\"t\",5,\"a\",\"b\"\r",
                r#"AT+LMQTTPUB=0,0,0,0,"t",5,"a","b"\r"#,
            ),
            ("+CPIN: READY\r\n", r"+CPIN: READY\r\n"),
        ] {
            assert_eq!(redacted(line.as_bytes()), kept, "{line}");
        }
    }

    #[test]
    fn a_private_key_is_not_kept() {
        let file = b"-----BEGIN EC PRIVATE KEY-----\nMHcC-AQ\n--x\n-----END EC PRIVATE KEY-----\n\
                     AT\r";
        let kept = redacted(file);
        assert!(!kept.contains("MHcC") && !kept.contains("--x"), "{kept}");
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(
            noise: Vec<u8>,
            secret in "[a-z]{6,20}",
            cuts in proptest::collection::vec(1_usize..9, 0..40),
        ) {
            let mut stream = noise;
            stream.extend(format!("\rAT+LMQTTCONN=0,\"i\",\"u\",\"{secret}\"\r\nOK\r\n").bytes());
            let mut whole = Vec::new();
            Redactor::default().redact(&stream, &mut whole);
            let (mut redactor, mut pieces, mut rest) = (Redactor::default(), Vec::new(), &stream[..]);
            for cut in cuts {
                let (piece, left) = rest.split_at(cut.min(rest.len()));
                redactor.redact(piece, &mut pieces);
                rest = left;
            }
            redactor.redact(rest, &mut pieces);
            prop_assert_eq!(&pieces, &whole);
            let found = whole.windows(secret.len()).any(|window| window == secret.as_bytes());
            prop_assert!(!found);
        }
    }
}
