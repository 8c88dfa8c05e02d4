//! `atmq monitor`

mod display;
mod pump;

use std::path::PathBuf;

use atmq_emulator::{Link, Pty};

use self::display::Display;
use self::pump::Pump;
use crate::emulate::{Announcer, Ready, no_link, no_pty};
use crate::failure::Failure;
use crate::port::PortArguments;
use crate::signals::stopped;

/// Show the dialogue between a host program and its module
///
/// Creates a pseudo terminal for the host program to open, and passes every byte on to the module
/// and back, unchanged and without delay. Prints one line when it is ready, `ready pty=… link=…`,
/// then the dialogue and its meaning. Follows the baud rate set by the host. If the port of the
/// module is lost, the pseudo terminal stays, and the port is reopened once it is back. Runs until
/// Ctrl-C.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Create a symbolic link to the pseudo terminal; it is removed on exit
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Print one line of JSON when it is ready, and one for each line of the dialogue
    #[arg(long)]
    json: bool,
    /// Do not show the dialogue; useful with --record
    #[arg(long, conflicts_with = "json")]
    silent: bool,
    #[command(flatten)]
    port: PortArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let port = arguments.port.open().await?;
    let pty = Pty::open().map_err(|error| no_pty(&error))?;
    // Whoever has read the ready line may end the program, and the link must not stay behind.
    let stopped = stopped();
    let link = arguments
        .link
        .map(|path| Link::create(&path, pty.path()).map_err(|error| no_link(&path, &error)));
    let link = link.transpose()?;
    let mut ready = Ready::default();
    ready.add("pty", pty.path().display().to_string());
    if let Some(link) = &link {
        ready.add("link", link.path().display().to_string());
    }
    if !arguments.silent {
        ready.print(Announcer::new(arguments.json, false))?;
    }
    let display = Display::start(arguments.json, arguments.silent);
    let mut pump = Pump::new(pty, port, arguments.port.baud(), display);
    let result = tokio::select! {
        result = pump.run(&arguments.port) => result,
        () = stopped => Ok(()),
    };
    // The link goes before the pseudo terminal does.
    drop(link);
    result.and(pump.end())
}
