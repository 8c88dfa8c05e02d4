//! What the modules print about their power (reference `qmt.md` 2.1).
//!
//! | line | source |
//! |---|---|
//! | `RDY`, `APP RDY` | measured |
//! | `POWERED DOWN`, `NORMAL POWER DOWN` | measured on BG96; the second from general knowledge |

use crate::dialect::Power;

/// What the module says when it switches itself off.
pub(super) const DOWN: &str = "POWERED DOWN";

pub(super) fn decode(line: &[u8]) -> Option<Power> {
    // What a UART catches while it is switched on stands in front.
    let noise = line.iter().take_while(|byte| !byte.is_ascii_graphic());
    match &line[noise.count()..] {
        b"RDY" | b"APP RDY" => Some(Power::Started),
        b"POWERED DOWN" | b"NORMAL POWER DOWN" => Some(Power::Down),
        _ => None,
    }
}
