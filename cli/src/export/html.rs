use std::collections::HashMap;

use atmq_driver::Direction;
use data_encoding::HEXLOWER;
use serde_json::json;

use super::rows::{Diagram, Row};
use super::svg::{STYLE, escaped, heads_for_page, inside_page};
use crate::capture::Kind;
use crate::explain::{Explanation, explain_line};
use crate::replay::who;

/// Bytes of an entry that the page holds. Nothing on this line is longer, but for uploads.
const DETAIL: usize = 16 * 1024;

/// The page: one file that loads nothing.
pub(super) fn write(diagram: &Diagram<'_>) -> String {
    let commands = commands(diagram);
    let rows = diagram.rows.iter();
    let details: Vec<_> = rows.map(|row| detail(row, &commands)).collect();
    let details = serde_json::Value::from(details).to_string();
    // Nothing in it may end the element that it stands in.
    let details = details.replace('<', "\\u003c");
    let failures = match diagram.failures {
        0 => "",
        _ => "<button id=\"bad\" title=\"the next failure\">next failure</button>",
    };
    include_str!("page.html")
        .replace("@TITLE@", &escaped(&diagram.title))
        .replace("@ABOUT@", &escaped(&diagram.about))
        .replace("@FAILURES@", failures)
        .replace("@STYLE@", concat!(include_str!("page.css")))
        .replace("@DIAGRAMSTYLE@", STYLE)
        .replace("@SCRIPT@", include_str!("page.js"))
        .replace("@HEADS@", &heads_for_page(diagram))
        // What was said comes last: it may hold such a word.
        .replace(
            "@DIAGRAM@\n@DETAILS@",
            &format!(
                "{}<script type=\"application/json\" id=\"details\">{details}</script>",
                inside_page(diagram)
            ),
        )
}

/// The commands of all exchanges, which the answers are explained by.
fn commands<'d>(diagram: &Diagram<'d>) -> HashMap<u64, &'d [u8]> {
    let entries = diagram.rows.iter().filter_map(|row| row.entry);
    let commands = entries.filter(|entry| entry.kind == Kind::Command);
    commands
        .filter_map(|entry| Some((entry.exchange?, &entry.bytes[..])))
        .collect()
}

fn detail(row: &Row<'_>, commands: &HashMap<u64, &[u8]>) -> serde_json::Value {
    let Some(entry) = row.entry else {
        return json!({
            "at": row.at.as_secs_f64(), "who": format!("{} to {}", row.from.name(), row.to.name()),
            "kind": "inferred", "text": row.text,
            "meaning": "Not seen on the wire: told by what the module says.",
        });
    };
    let shown = &entry.bytes[..entry.bytes.len().min(DETAIL)];
    let asked = row
        .exchange
        .and_then(|number| commands.get(&number))
        .copied();
    let lines = |explanation: Explanation| explanation.lines().join("\n");
    let explained = match entry.kind {
        Kind::Data | Kind::Missing => None,
        kind if kind.is_aside() => None,
        _ => explain_line(&entry.bytes, asked).map(lines),
    };
    let direction = match entry.from {
        _ if row.class.is_remark() => "beside the line",
        Direction::HostToModule => "host to module",
        Direction::ModuleToHost => "module to host",
    };
    json!({
        "at": row.at.as_secs_f64(), "who": direction, "from": who(entry.from),
        "kind": entry.kind.name(), "exchange": row.exchange, "text": row.text,
        "meaning": row.meaning, "explained": explained, "hex": HEXLOWER.encode(shown), "length": entry.bytes.len(),
    })
}
