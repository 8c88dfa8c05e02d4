//! What the modules print about their power (reference `lmqtt.md` 1.10).
//!
//! | line | source |
//! |---|---|
//! | holds `boot.rom` | measured: the boot loader prints `^boot.rom'v…`, with noise around it |
//! | holds `NORMAL POWER DOWN` | measured |
//! | `RDY` | inferred: what modules of other makers print when they take commands |
//! | holds `Lierda` | a product's firmware takes it for a reboot |

use memchr::memmem;

use crate::dialect::Power;

/// What the module says when it switches itself off.
pub(super) const DOWN: &str = "NORMAL POWER DOWN";

pub(super) fn decode(line: &[u8]) -> Option<Power> {
    let holds = |word: &[u8]| memmem::find(line, word).is_some();
    // What a UART catches while it is switched on stands in front.
    let noise = line.iter().take_while(|byte| !byte.is_ascii_graphic());
    if holds(b"boot.rom") || &line[noise.count()..] == b"RDY" {
        Some(Power::Started)
    } else if holds(DOWN.as_bytes()) {
        Some(Power::Down)
    } else if !line.starts_with(b"+") && holds(b"Lierda") {
        Some(Power::Banner)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_says_of_its_power() {
        for (line, expected) in [
            (&b"^boot.rom'v'!"[..], Some(Power::Started)),
            (b"+CSQ: 2\0\xff^boot.rom", Some(Power::Started)),
            (b"RDY", Some(Power::Started)),
            (b"\0\x01\xffRDY", Some(Power::Started)),
            (b"+CPIN: RDY", None),
            (b"RDYX", None),
            (b"NORMAL POWER DOWN", Some(Power::Down)),
            (b"+CSQ: 2NORMAL POWER DOWN", Some(Power::Down)),
            (b"Lierda NT35E", Some(Power::Banner)),
            (b"+CGMI: Lierda", None),
            (b"POWER", None),
            (b"", None),
        ] {
            assert_eq!(decode(line), expected, "{}", line.escape_ascii());
        }
    }
}
