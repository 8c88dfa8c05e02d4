//! A command line taken apart, as V.250 section 5.2 defines it.
//!
//! `ATE0V1+CMEE=1;+CSQ` holds four commands: two basic ones, `E` and `V`, and two extended ones,
//! `+CMEE` and `+CSQ`. An MQTT command owns the rest of its line, because its payload may hold
//! any `;`.

use alloc::vec::Vec;
use core::fmt;

use crate::redact::redacted;

/// Whether the name of an extended command begins so: with V.250's `+`, or with a sign that makers
/// have added for their own.
pub fn is_sign(byte: u8) -> bool {
    b"+^*$%#".contains(&byte)
}

/// One command of a command line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    /// The name without `AT`: `E`, `&W`, `S3`, `+CSQ`. Empty for a bare `AT`. Letter case is the
    /// host's; compare with [`Command::is`].
    pub name: &'a [u8],
    /// Which form the command has, with its parameters.
    pub form: Form<'a>,
}

/// The form of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// `+NAME`: execute.
    Execute,
    /// `+NAME?`: read.
    Read,
    /// `+NAME=?`: test.
    Test,
    /// `+NAME=<parameters>`, or the number behind a basic command: set.
    Set(&'a [u8]),
}

impl<'a> Form<'a> {
    /// What stands behind the name: nothing but in the set form.
    pub const fn values(self) -> &'a [u8] {
        match self {
            Self::Set(values) => values,
            Self::Execute | Self::Read | Self::Test => b"",
        }
    }
}

impl<'a> Command<'a> {
    /// Whether this is the command `name`, in whatever letter case it was typed.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The command alone on a line, from `AT` to before the line end. Holds its secrets.
    pub fn line(&self) -> Vec<u8> {
        let mut line = [b"AT", self.name].concat();
        match self.form {
            Form::Execute => {}
            Form::Read => line.push(b'?'),
            Form::Test => line.extend_from_slice(b"=?"),
            Form::Set(parameters) => {
                line.push(b'=');
                line.extend_from_slice(parameters);
            }
        }
        line
    }

    /// Takes the first command off `line`, the bytes between `AT` and the carriage return.
    ///
    /// `owns_line` tells, for the name of an extended command, whether its parameters reach to
    /// the end of the line. The second value is what is left of the line; it is shorter than
    /// `line` or both are empty.
    pub fn split_first(line: &'a [u8], owns_line: impl Fn(&[u8]) -> bool) -> (Self, &'a [u8]) {
        let line = line.trim_ascii_start();
        match line.first() {
            None => (Self::execute(b""), b""),
            Some(sign) if is_sign(*sign) => Self::extended(line, owns_line),
            Some(_) => Self::basic(line),
        }
    }

    fn execute(name: &'a [u8]) -> Self {
        Self {
            name,
            form: Form::Execute,
        }
    }

    fn extended(line: &'a [u8], owns_line: impl Fn(&[u8]) -> bool) -> (Self, &'a [u8]) {
        let name_end = line
            .iter()
            .position(|byte| matches!(byte, b'=' | b'?' | b';'))
            .unwrap_or(line.len());
        let name = line[..name_end].trim_ascii_end();
        let end = if owns_line(name) {
            line.len()
        } else {
            chained_end(line)
        };
        let rest = line.get(end + 1..).unwrap_or_default();
        let form = match line[name_end.min(end)..end].trim_ascii_end() {
            b"" => Form::Execute,
            b"?" => Form::Read,
            b"=?" => Form::Test,
            // `?` with something behind it is no form at all; as parameters it is refused.
            [b'=', parameters @ ..] | parameters => Form::Set(parameters),
        };
        (Self { name, form }, rest)
    }

    fn basic(line: &'a [u8]) -> (Self, &'a [u8]) {
        let count_digits = |bytes: &[u8]| {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
            digits.count()
        };
        let name_length = match line {
            [b'&' | b'\\', _, ..] => 2,
            [b'S' | b's', rest @ ..] => 1 + count_digits(rest),
            _ => 1,
        };
        let (name, rest) = line.split_at(name_length.min(line.len()));
        if matches!(name, b"D" | b"d") {
            // What is dialled reaches to the end of the line, whatever it is made of.
            let form = Form::Set(rest.trim_ascii());
            return (Self { name, form }, b"");
        }
        let register = name.len() > 1 && !name.starts_with(b"&");
        let (form, rest) = match rest {
            [b'=', b'?', rest @ ..] => (Form::Test, rest),
            [b'?', rest @ ..] => (Form::Read, rest),
            [b'=', rest @ ..] if register => {
                let (value, rest) = rest.split_at(count_digits(rest));
                (Form::Set(value), rest)
            }
            _ => match rest.split_at(count_digits(rest)) {
                (b"", rest) => (Form::Execute, rest),
                (value, rest) => (Form::Set(value), rest),
            },
        };
        // Hosts separate basic from extended commands with nothing, a blank or a semicolon.
        let rest = rest.trim_ascii_start();
        (Self { name, form }, rest.strip_prefix(b";").unwrap_or(rest))
    }
}

/// As it was typed, without secrets.
impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", redacted(&self.line()).escape_ascii())
    }
}

/// Where the first of several chained commands ends: at a semicolon outside of quotes.
fn chained_end(line: &[u8]) -> usize {
    let mut quoted = false;
    line.iter()
        .position(|byte| {
            quoted ^= *byte == b'"';
            *byte == b';' && !quoted
        })
        .unwrap_or(line.len())
}

/// Appends a complete command line: `AT`, the name with its leading sign, and a carriage return.
pub fn encode_line(name: &str, form: Form<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"AT");
    out.extend_from_slice(name.as_bytes());
    match form {
        Form::Execute => {}
        Form::Read => out.push(b'?'),
        Form::Test => out.extend_from_slice(b"=?"),
        Form::Set(parameters) => {
            // Basic commands take their number without `=`.
            if name.bytes().next().is_some_and(is_sign) {
                out.push(b'=');
            }
            out.extend_from_slice(parameters);
        }
    }
    out.push(b'\r');
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn all(line: &[u8]) -> Vec<Command<'_>> {
        let mut commands = Vec::new();
        let mut rest = line;
        loop {
            let (command, left) =
                Command::split_first(rest, |name| name.eq_ignore_ascii_case(b"+LMQTTPUB"));
            commands.push(command);
            if left.is_empty() {
                return commands;
            }
            rest = left;
        }
    }

    fn command<'a>(name: &'a str, form: Form<'a>) -> Command<'a> {
        Command {
            name: name.as_bytes(),
            form,
        }
    }

    #[test]
    fn debug_output_does_not_show_secrets() {
        for (line, shown) in [
            ("+CPIN=\"1234\"", "AT+CPIN=\\\"***\\\""),
            (
                "+LMQTTCONN=0,\"id\",\"user\",\"s3cret\"",
                "AT+LMQTTCONN=0,\\\"id\\\",\\\"user\\\",\\\"***\\\"",
            ),
            ("+CSQ", "AT+CSQ"),
            ("+CPIN=?", "AT+CPIN=?"),
        ] {
            let (command, _) = Command::split_first(line.as_bytes(), |_| true);
            assert_eq!(alloc::format!("{command:?}"), shown);
        }
    }

    #[test]
    fn a_line_is_taken_apart() {
        use Form::{Execute, Read, Set, Test};
        for (line, expected) in [
            ("", vec![command("", Execute)]),
            ("E0", vec![command("E", Set(b"0"))]),
            ("I", vec![command("I", Execute)]),
            (
                "Q0 V1 E1 S0=0",
                vec![
                    command("Q", Set(b"0")),
                    command("V", Set(b"1")),
                    command("E", Set(b"1")),
                    command("S0", Set(b"0")),
                ],
            ),
            ("&W", vec![command("&W", Execute)]),
            (
                "\\Q3&C1",
                vec![command("\\Q", Set(b"3")), command("&C", Set(b"1"))],
            ),
            ("DT*99***1#;", vec![command("D", Set(b"T*99***1#;"))]),
            ("S3?", vec![command("S3", Read)]),
            (
                "E0#PCON=0,1;#POPEN?;+CSQ",
                vec![
                    command("E", Set(b"0")),
                    command("#PCON", Set(b"0,1")),
                    command("#POPEN", Read),
                    command("+CSQ", Execute),
                ],
            ),
            ("+CSQ", vec![command("+CSQ", Execute)]),
            ("+cpin?", vec![command("+cpin", Read)]),
            ("+CEREG=?", vec![command("+CEREG", Test)]),
            (
                "E0+CMEE=1;+CSQ",
                vec![
                    command("E", Set(b"0")),
                    command("+CMEE", Set(b"1")),
                    command("+CSQ", Execute),
                ],
            ),
            (
                "+CGDCONT=1,\"IP\",\"a;b\";+CSQ",
                vec![
                    command("+CGDCONT", Set(b"1,\"IP\",\"a;b\"")),
                    command("+CSQ", Execute),
                ],
            ),
            (
                "+LMQTTPUB=0,1,0,0,\"t\",7,\"a\";\"b;c\"",
                vec![command("+LMQTTPUB", Set(b"0,1,0,0,\"t\",7,\"a\";\"b;c\""))],
            ),
            ("+CSQ?1", vec![command("+CSQ", Set(b"?1"))]),
        ] {
            assert_eq!(all(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_line_is_put_together() {
        let mut out = Vec::new();
        encode_line("E", Form::Set(b"0"), &mut out);
        encode_line("+CMEE", Form::Set(b"1"), &mut out);
        encode_line("#PCON", Form::Set(b"0"), &mut out);
        encode_line("+CPIN", Form::Read, &mut out);
        encode_line("", Form::Execute, &mut out);
        assert_eq!(out, b"ATE0\rAT+CMEE=1\rAT#PCON=0\rAT+CPIN?\rAT\r");
    }

    proptest! {
        #[test]
        fn any_line_comes_to_its_end(line: Vec<u8>) {
            prop_assert!(all(&line).len() <= line.len() + 1);
        }
    }
}
