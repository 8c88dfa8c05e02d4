use std::fmt::Write as _;

use super::rows::{Class, Diagram, Row, elided};
use crate::duration::span;

/// Characters of a label. Longer ones make the diagram too wide to read.
const ROOM: usize = 72;

/// A pause that is worth a note.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// The diagram in Mermaid's language.
pub(super) fn write(diagram: &Diagram<'_>) -> String {
    let mut out = String::from("sequenceDiagram\n");
    // Writing to a string cannot fail.
    let _ = writeln!(out, "    %% {}: {}", diagram.title, diagram.about);
    out.push_str("    participant host\n    participant module\n");
    if diagram.broker {
        out.push_str("    participant broker\n");
    }
    for row in &diagram.rows {
        if row.pause >= PAUSE {
            let over = if diagram.broker {
                "host,broker"
            } else {
                "host,module"
            };
            let _ = writeln!(out, "    Note over {over}: {} later", span(row.pause));
        }
        if row.class.is_remark() {
            let _ = writeln!(out, "    Note over host,module: {}", label(row));
            continue;
        }
        let arrow = match row.class {
            Class::Hop => "-->>",
            Class::Bad => "-x",
            _ => "->>",
        };
        let (from, to) = (row.from.name(), row.to.name());
        let _ = writeln!(out, "    {from}{arrow}{to}: {}", label(row));
    }
    out
}

fn label(row: &Row<'_>) -> String {
    let text = escaped(&elided(&row.text, ROOM));
    let time = format!("{:.3}", row.at.as_secs_f64());
    match &row.meaning {
        Some(meaning) => format!("{time} {text}<br/>{}", escaped(&elided(meaning, ROOM))),
        None => format!("{time} {text}"),
    }
}

/// What Mermaid would take for its own, and HTML for a tag, by number.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | ':' => {
                let _ = write!(out, "#{};", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out
}
