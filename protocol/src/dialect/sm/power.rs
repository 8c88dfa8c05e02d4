//! What the modules print about their power (reference `sm.md` 6).
//!
//! | line | source |
//! |---|---|
//! | `RDY` | measured: the first line of a start |
//! | `NORMAL POWER DOWN` | measured |

use crate::dialect::Power;

/// What the module says when it switches itself off.
pub(super) const DOWN: &str = "NORMAL POWER DOWN";

pub(super) fn decode(line: &[u8]) -> Option<Power> {
    // What a UART catches while it is switched on stands in front.
    let noise = line.iter().take_while(|byte| !byte.is_ascii_graphic());
    match &line[noise.count()..] {
        b"RDY" => Some(Power::Started),
        line if line == DOWN.as_bytes() => Some(Power::Down),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_says_of_its_power() {
        for (line, expected) in [
            (&b"RDY"[..], Some(Power::Started)),
            (b"\0\xffRDY", Some(Power::Started)),
            (b"RDYX", None),
            (b"+CPIN: READY", None),
            (b"NORMAL POWER DOWN", Some(Power::Down)),
            (b"+SMSUB: \"t\",\"NORMAL POWER DOWN\"", None),
            (b"", None),
        ] {
            assert_eq!(decode(line), expected, "{}", line.escape_ascii());
        }
    }
}
