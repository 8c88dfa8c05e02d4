use std::fmt::Write as _;
use std::time::Duration;

use super::rows::{Class, Diagram, Lane, Row, elided};
use crate::duration::span;

/// Places in pixels: where the times end, and where the lifelines are.
const TIMES: u32 = 76;
const HOST: u32 = 112;
const MODULE: u32 = 712;
const BROKER: u32 = 1092;
/// Beside the last lifeline.
const MARGIN: u32 = 48;
/// Above the first row, with title and heads.
const TOP: u32 = 104;
/// A row with its arrow, and with its meaning below.
const ROW: u32 = 26;
const MEANING: u32 = 15;
/// Above the first row of an exchange.
const APART: u32 = 8;
const GAP: u32 = 26;

/// The widths of a character, in tenths of pixels: 12 px monospace, 11 px sans serif on average.
const MONOSPACE: u32 = 73;
const SANS: u32 = 58;

/// A pause from which on it is drawn.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks, shared with the page.
pub(super) const STYLE: &str = include_str!("diagram.css");

/// A picture of its own.
pub(super) fn write(diagram: &Diagram<'_>) -> String {
    let (width, height) = (width(diagram), layout(diagram).1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" class=\"diagram\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    let text = |out: &mut String, class: &str, y: u32, room: usize, text: &str| {
        let text = escaped(&elided(text, room));
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"24\" y=\"{y}\">{text}</text>"
        );
    };
    let room = (width - 48) as usize / 8;
    text(&mut out, "title", 30, room, &diagram.title);
    text(&mut out, "about", 50, room + room / 4, &diagram.about);
    draw(diagram, &mut out);
    heads(diagram, TOP - 34, &mut out);
    heads(diagram, height - 36, &mut out);
    out.push_str("</svg>\n");
    out
}

/// The diagram alone, with the heads at its top, for the page.
pub(super) fn inside_page(diagram: &Diagram<'_>) -> String {
    let (width, height) = (width(diagram), layout(diagram).1);
    let shown = height - TOP;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{shown}\" \
         viewBox=\"0 {TOP} {width} {shown}\" class=\"diagram\">\n"
    );
    draw(diagram, &mut out);
    out.push_str("</svg>\n");
    out
}

/// The heads alone, which stay in view above the diagram.
pub(super) fn heads_for_page(diagram: &Diagram<'_>) -> String {
    let width = width(diagram);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"34\" \
         viewBox=\"0 0 {width} 34\" class=\"diagram\">\n"
    );
    heads(diagram, 4, &mut out);
    out.push_str("</svg>\n");
    out
}

fn width(diagram: &Diagram<'_>) -> u32 {
    MARGIN + if diagram.broker { BROKER } else { MODULE }
}

fn place(lane: Lane) -> u32 {
    match lane {
        Lane::Host => HOST,
        Lane::Module => MODULE,
        Lane::Broker => BROKER,
    }
}

fn lanes(diagram: &Diagram<'_>) -> impl Iterator<Item = Lane> {
    let broker = diagram.broker.then_some(Lane::Broker);
    [Lane::Host, Lane::Module].into_iter().chain(broker)
}

/// The upper end of each row, and the height of all.
fn layout(diagram: &Diagram<'_>) -> (Vec<u32>, u32) {
    let mut y = TOP;
    let mut before = None;
    let mut places = Vec::new();
    for row in &diagram.rows {
        if row.pause >= PAUSE {
            y += GAP;
        }
        if before != Some(row.group) {
            y += APART;
        }
        before = Some(row.group);
        places.push(y);
        y += row_height(row);
    }
    (places, y + 56)
}

fn row_height(row: &Row<'_>) -> u32 {
    ROW + if row.meaning.is_some() { MEANING } else { 0 }
}

fn draw(diagram: &Diagram<'_>, out: &mut String) {
    let (places, height) = layout(diagram);
    bands(diagram, &places, out);
    for lane in lanes(diagram) {
        let (x, end) = (place(lane), height - 36);
        let from = TOP - 8;
        let _ = writeln!(
            out,
            "<line class=\"life\" x1=\"{x}\" y1=\"{from}\" x2=\"{x}\" y2=\"{end}\"/>"
        );
    }
    for (number, (row, y)) in diagram.rows.iter().zip(&places).enumerate() {
        if row.pause >= PAUSE {
            let begins = number == 0 || diagram.rows[number - 1].group != row.group;
            let above = if begins { APART } else { 0 };
            pause(diagram, row.pause, y - above - GAP, out);
        }
        draw_row(number, row, *y, width(diagram), out);
    }
}

/// A band behind the rows of each exchange that stand together, with its number.
fn bands(diagram: &Diagram<'_>, places: &[u32], out: &mut String) {
    let rows = &diagram.rows;
    let mut from = 0;
    for group in rows.chunk_by(|a, b| a.group == b.group) {
        let to = from + group.len();
        if let Some(number) = group[0].exchange {
            let (top, x) = (places[from] - 2, HOST - 28);
            let height = places[to - 1] + row_height(&rows[to - 1]) - top;
            let width = width(diagram) - x - 12;
            let _ = writeln!(
                out,
                "<rect class=\"band\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>\
                 <text class=\"number\" x=\"{}\" y=\"{}\">{number}</text>",
                x + 4,
                top + 13
            );
        }
        from = to;
    }
}

fn pause(diagram: &Diagram<'_>, time: Duration, y: u32, out: &mut String) {
    let (middle, end) = (y + GAP / 2 + 2, width(diagram) - 24);
    let _ = writeln!(
        out,
        "<line class=\"pause\" x1=\"{TIMES}\" y1=\"{middle}\" x2=\"{end}\" y2=\"{middle}\"/>\
         <text class=\"pausetext\" x=\"{}\" y=\"{}\">{} later</text>",
        (HOST + MODULE) / 2,
        middle + 4,
        span(time)
    );
}

fn draw_row(number: usize, row: &Row<'_>, y: u32, width: u32, out: &mut String) {
    let (from, to) = (place(row.from), place(row.to));
    let (left, right) = (from.min(to), from.max(to));
    let middle = (left + right) / 2;
    let line = y + 20;
    let room = |tenths: u32| ((right - left - 28) * 10 / tenths) as usize;
    let class = row.class.name();
    let full = match &row.meaning {
        Some(meaning) => format!("{}\n{meaning}", elided(&row.text, 2000)),
        None => elided(&row.text, 2000),
    };
    let _ = write!(
        out,
        "<g class=\"row {class}\" data-n=\"{number}\"><title>{}</title>\
         <rect class=\"hit\" x=\"0\" y=\"{y}\" width=\"{width}\" height=\"{}\"/>",
        escaped(&full),
        row_height(row)
    );
    if row.class != Class::Hop {
        let time = time_of(row.at);
        let _ = write!(
            out,
            "<text class=\"time\" x=\"{TIMES}\" y=\"{}\">{time}</text>",
            y + 15
        );
    }
    let text = escaped(&elided(&row.text, room(MONOSPACE)));
    // The head is drawn by hand: not every viewer knows markers.
    let (tip, back) = if to > from {
        (to - 1, to - 9)
    } else {
        (to + 1, to + 9)
    };
    if row.class.is_remark() {
        let (x, width) = (left + 10, right - left - 20);
        let _ = writeln!(
            out,
            "<rect class=\"note\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\" rx=\"4\"/>\
             <text class=\"said\" x=\"{middle}\" y=\"{}\">{text}</text></g>",
            y + 2,
            ROW - 4,
            y + 17
        );
        return;
    }
    let _ = write!(
        out,
        "<text class=\"said\" x=\"{middle}\" y=\"{}\">{text}</text>\
         <line class=\"arrow\" x1=\"{from}\" y1=\"{line}\" x2=\"{back}\" y2=\"{line}\"/>\
         <path class=\"tip\" d=\"M{tip} {line} L{back} {} L{back} {} Z\"/>",
        y + 15,
        line - 4,
        line + 4
    );
    if let Some(meaning) = &row.meaning {
        let meaning = escaped(&elided(meaning, room(SANS)));
        let _ = write!(
            out,
            "<text class=\"meaning\" x=\"{middle}\" y=\"{}\">{meaning}</text>",
            y + 33
        );
    }
    out.push_str("</g>\n");
}

/// A time in the column: it must fit.
fn time_of(at: Duration) -> String {
    let seconds = at.as_secs();
    match seconds {
        0..3600 => format!("{:.3}", at.as_secs_f64()),
        _ => format!(
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

fn heads(diagram: &Diagram<'_>, y: u32, out: &mut String) {
    for lane in lanes(diagram) {
        let (x, name) = (place(lane), lane.name());
        let left = x - 42;
        let note = if lane == Lane::Broker {
            "<title>inferred from what the module tells</title>"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<g class=\"head {name}\">{note}<rect x=\"{left}\" y=\"{y}\" width=\"84\" height=\"26\" rx=\"5\"/>\
             <text x=\"{x}\" y=\"{}\">{name}</text></g>",
            y + 18
        );
    }
}

/// A text inside of XML and HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // The only ones that XML cannot carry and that are no control characters.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            character => out.push(character),
        }
    }
    out
}
