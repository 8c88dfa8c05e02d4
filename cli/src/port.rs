use std::error::Error as _;
use std::io;

use atmq_driver::{Modem, OpenError, Port, Settings};

use crate::failure::{Failure, FailureKind, chain};

/// Where the module is.
#[derive(Debug, clap::Args)]
pub(crate) struct PortArguments {
    /// The module: a serial device, or tcp://HOST:PORT
    #[arg(long, value_name = "DEVICE", env = "ATMQ_PORT")]
    port: String,
    /// Bits per second of the serial device
    #[arg(long, value_name = "RATE", default_value_t = 115_200)]
    baud: u32,
}

impl PortArguments {
    pub(crate) fn settings(&self) -> Settings {
        Settings::default().baud_rate(self.baud)
    }

    /// Opens the port; the module is not spoken to.
    pub(crate) async fn open(&self) -> Result<Port, Failure> {
        let port = atmq_driver::open_port(&self.port, &self.settings()).await;
        port.map_err(|error| open_failure(&error))
    }

    /// Opens the port and brings the module to talk.
    pub(crate) async fn modem(&self) -> Result<Modem, Failure> {
        let modem = Modem::over(self.open().await?, self.settings());
        match modem.initialise().await {
            Ok(()) => Ok(modem),
            Err(error) => Err(open_failure(&OpenError::Initialise(error))),
        }
    }
}

pub(crate) fn open_failure(error: &OpenError) -> Failure {
    let failure = Failure::new(FailureKind::Unavailable, chain(error));
    let system = error.source().and_then(|source| source.downcast_ref());
    match (error, system.map(io::Error::kind)) {
        (OpenError::Initialise(_), _) => Failure::new(FailureKind::TimedOut, chain(error))
            .hint("check power, cable and --baud, and that it is the module's AT port"),
        (OpenError::Tcp { .. }, _) => failure.hint("is the emulator running with --listen?"),
        (_, Some(io::ErrorKind::NotFound)) => {
            failure.hint("look for the device in /dev, or start one with `atmq emulate --link`")
        }
        (_, Some(io::ErrorKind::PermissionDenied)) => {
            failure.hint("join the group that owns the device, often `dialout`")
        }
        (_, Some(io::ErrorKind::ResourceBusy)) => failure.hint("another program has it open"),
        _ => failure,
    }
}
