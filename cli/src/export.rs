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
use crate::failure::{Failure, FailureKind};
use crate::output::print_bytes;

/// Draw a capture as a sequence diagram: host, module, and the broker behind it
///
/// What passes between module and broker is told by the commands and URCs: nobody has seen the
/// packets. Echoes are left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The capture
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: Format,
    /// Write to a file, not to standard output
    #[arg(short = 'o', long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Let -o replace a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Format {
    /// Text for Mermaid, as Markdown on many sites shows it
    #[arg(long)]
    mermaid: bool,
    /// A picture
    #[arg(long)]
    svg: bool,
    /// A page, all in one file, that shows every byte of what is clicked
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
        Some(path) => save(path, arguments.force, &text).map_err(|error| unsaved(path, &error))?,
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

fn unsaved(path: &Path, error: &io::Error) -> Failure {
    let what = format!("cannot write {}: {error}", path.display());
    let failure = Failure::new(FailureKind::Unavailable, what);
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            failure.hint("choose another name, or replace it by --force")
        }
        _ => failure,
    }
}
