//! `atmq replay`

mod show;

use std::path::PathBuf;

use crate::capture::Capture;
use crate::failure::Failure;

/// Show a capture: what host and module said, when, and what it means
///
/// Reads what --record writes, and other captures of serial lines in pcapng or pcap (link type
/// RTAC serial). What can be read of a damaged file is shown, then what is wrong with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The capture
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show the bytes as they passed, not the lines they make
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print a line of JSON for each thing that was said
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let capture = Capture::open(&arguments.file)?;
    let how = match (arguments.raw, arguments.json) {
        (true, _) => show::How::Raw,
        (_, true) => show::How::Json,
        _ => show::How::Text,
    };
    show::show(capture, how)
}
