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

/// Sit between a host program and its module, and show what they say
///
/// Makes a pseudo terminal for the host program and passes everything on, unchanged and at once.
/// Prints one line when it is ready, `ready pty=… link=…`, then the dialogue with its meaning.
/// Follows the bits per second that the host sets. If the module's port is lost, the pseudo
/// terminal stays, and the port is opened again once it is there. Ends at Ctrl-C.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    /// Make a symbolic link to the pseudo terminal, removed at the end
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Print a line of JSON when it is ready, and one for each thing that is said
    #[arg(long)]
    json: bool,
    /// Pass everything on and show nothing; for --record
    #[arg(long, conflicts_with = "json")]
    silent: bool,
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
