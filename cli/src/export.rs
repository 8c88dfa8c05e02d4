//! `atmq export`

mod html;
mod mermaid;
mod rows;
mod svg;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use self::rows::Diagram;
use crate::capture::Session;
use crate::failure::{Failure, not_written};
use crate::output::print_bytes;

/// Draw a capture as a sequence diagram of host, module and broker
///
/// What passes between module and broker is inferred from commands and URCs, as the packets are not
/// in the capture. Echoes are left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Capture to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(short = 'o', long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Let -o overwrite an existing file
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Format {
    /// Draw it as Mermaid text, for Markdown
    #[arg(long)]
    mermaid: bool,
    /// Draw it as an SVG picture
    #[arg(long)]
    svg: bool,
    /// Draw it as a self-contained HTML page that shows the bytes of a line when it is clicked
    #[arg(long)]
    html: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let session = Session::load(&arguments.file)?;
    let name = arguments
        .file
        .file_name()
        .unwrap_or(arguments.file.as_os_str());
    let diagram = Diagram::new(&session, name.to_string_lossy().into_owned());
    let format = &arguments.format;
    let text = match (format.mermaid, format.svg) {
        (true, _) => mermaid::write(&diagram),
        (_, true) => svg::write(&diagram),
        _ => html::write(&diagram),
    };
    match &arguments.output {
        Some(path) => save(path, arguments.force, &text)
            .map_err(|error| not_written("write", path, &error))?,
        None => print_bytes(&text)?,
    }
    match session.damage {
        Some(damage) => Err(damage),
        None => Ok(()),
    }
}

fn save(path: &Path, force: bool, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    let mut file = match force {
        true => options.create(true).truncate(true).open(path)?,
        false => options.create_new(true).open(path)?,
    };
    file.write_all(text.as_bytes())
}
