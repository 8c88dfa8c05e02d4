use std::error::Error as _;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use atmq_driver::{Error, Modem, OpenError, Port, Settings};

use crate::capture::{RecordArguments, Recorded, Recorder};
use crate::config::ProfileArguments;
use crate::duration::seconds;
use crate::failure::{Failure, FailureKind, chain};
use crate::ports::join_group;

/// Where the module is.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Module")]
pub(crate) struct PortArguments {
    #[command(flatten)]
    _profile: ProfileArguments,
    /// Port of the module: a serial device, tcp://HOST:PORT (or socket://), or rfc2217://HOST:PORT
    /// for a serial device behind a terminal server
    #[arg(long, value_name = "DEVICE", env = "ATMQ_PORT", value_parser = port_name)]
    port: String,
    /// Baud rate of the serial device
    #[arg(long, value_name = "RATE", default_value_t = 115_200,
          value_parser = clap::value_parser!(u32).range(1..))]
    baud: u32,
    /// Use hardware flow control (RTS/CTS)
    #[arg(long)]
    rtscts: bool,
    /// Wait up to this long for a port that is not there yet
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    wait_for_port: Option<Duration>,
    /// Find the baud rate at which the module answers, trying that of --baud first
    #[arg(long)]
    auto_baud: bool,
    /// The module has just been reset: if it does not answer, do not wait as if it expected the data
    /// of an earlier program
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    record: RecordArguments,
    /// Made when it is first needed, once for all that opens the port.
    #[arg(skip)]
    recorder: OnceLock<Option<Recorder>>,
}

impl PortArguments {
    /// The module's port as it was given.
    pub(crate) fn name(&self) -> &str {
        &self.port
    }

    /// How to talk to the module, with what passes being recorded if that is asked for.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let settings = self.plain_settings();
        Ok(match self.recorder()? {
            Some(recorder) => settings.tap(move |tapped| {
                recorder.record_at(tapped.at, tapped.direction, tapped.bytes);
            }),
            None => settings,
        })
    }

    /// Opens the port, with what passes being recorded; the module is not spoken to.
    pub(crate) async fn open(&self) -> Result<Recorded<Port>, Failure> {
        let recorder = self.recorder()?;
        Ok(Recorded::new(self.open_plain().await?, recorder))
    }

    /// Opens the port and brings the module to talk.
    pub(crate) async fn modem(&self) -> Result<Modem, Failure> {
        self.opened(self.settings()?.reopen(false)).await
    }

    /// The same, at whatever rate the module answers.
    pub(crate) async fn modem_at_any_rate(&self) -> Result<Modem, Failure> {
        let settings = self.settings()?.reopen(false).auto_baud(true);
        self.opened(settings).await
    }

    /// The same, and opens the port again whenever it was lost.
    pub(crate) async fn lasting_modem(&self) -> Result<Modem, Failure> {
        self.opened(self.settings()?.reopen(true)).await
    }

    async fn opened(&self, settings: Settings) -> Result<Modem, Failure> {
        let opened = Modem::open(&self.port, settings).await;
        opened.map_err(|error| open_failure(&error))
    }

    /// Bits per second of the serial device.
    pub(crate) fn baud(&self) -> u32 {
        self.baud
    }

    fn plain_settings(&self) -> Settings {
        Settings::default()
            .baud_rate(self.baud)
            .auto_baud(self.auto_baud)
            .fresh(self.fresh)
            .rts_cts(self.rtscts)
            .wait_for_port(self.wait_for_port.unwrap_or_default())
    }

    async fn open_plain(&self) -> Result<Port, Failure> {
        let opened = atmq_driver::open_port(&self.port, &self.plain_settings()).await;
        let port = opened.map_err(|error| open_failure(&error))?;
        if !self.auto_baud {
            return Ok(port);
        }
        let found = port.find_baud_rate(self.baud, self.fresh).await;
        found.map(|(port, _)| port).map_err(|error| {
            Failure::new(
                FailureKind::Unavailable,
                format!("the port is lost: {error}"),
            )
        })
    }

    /// Makes a file into which what passes can be recorded.
    pub(crate) fn recorder_to(&self, path: &Path) -> Result<Recorder, Failure> {
        Recorder::create(path, false, &self.port, self.line_rate())
    }

    /// Bits per second, of a line that has any.
    fn line_rate(&self) -> Option<u32> {
        has_rate(&self.port).then_some(self.baud)
    }

    fn recorder(&self) -> Result<Option<Recorder>, Failure> {
        if let Some(recorder) = self.recorder.get() {
            return Ok(recorder.clone());
        }
        let recorder = self.record.create(&self.port, self.line_rate())?;
        Ok(self.recorder.get_or_init(|| recorder).clone())
    }
}

/// Names of ports that are no devices of this machine.
const NETWORK: [&str; 3] = ["tcp://", "socket://", "rfc2217://"];

/// Whether a port is a device of this machine, by its name.
pub(crate) fn is_device(name: &str) -> bool {
    !NETWORK.iter().any(|scheme| name.starts_with(scheme))
}

/// Whether a port has bits per second, by its name.
pub(crate) fn has_rate(name: &str) -> bool {
    is_device(name) || name.starts_with("rfc2217://")
}

/// Opens a port by its name; the module is not spoken to.
pub(crate) async fn open(name: &str, baud: u32) -> Result<Port, Failure> {
    let settings = Settings::default().baud_rate(baud);
    let port = atmq_driver::open_port(name, &settings).await;
    port.map_err(|error| open_failure(&error))
}

/// Checks the form of what is no path: without its port a peer would look as if it were not there.
pub(crate) fn port_name(name: &str) -> Result<String, String> {
    for scheme in NETWORK {
        if let Some(address) = name.strip_prefix(scheme) {
            host_and_port(address).map_err(|error| format!("{error}, behind {scheme}"))?;
        }
    }
    match name.split_once("://") {
        Some((scheme, _)) if is_device(name) => Err(format!(
            "{scheme}:// is not known; there are {}",
            NETWORK.join(", ")
        )),
        _ => Ok(name.to_owned()),
    }
}

/// Reads `HOST:PORT`.
pub(crate) fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or("write HOST:PORT")?;
    if host.is_empty() {
        return Err("there is no host: write HOST:PORT".into());
    }
    match port.parse() {
        Ok(port @ 1..) => Ok((host.to_owned(), port)),
        _ => Err(format!("`{port}` is no port: write HOST:PORT")),
    }
}

pub(crate) fn open_failure(error: &OpenError) -> Failure {
    let failure = Failure::new(FailureKind::Unavailable, chain(error));
    let system = error.source().and_then(|source| source.downcast_ref());
    match (error, system.map(io::Error::kind)) {
        (OpenError::Initialise(Error::PortClosed(_)), _) => {
            failure.hint("is the device still there, and is no other host connected?")
        }
        (OpenError::Initialise(_), _) => Failure::new(FailureKind::TimedOut, chain(error))
            .hint("check power, cable and rate (--auto-baud), and that it is the module's AT port"),
        (OpenError::Tcp { .. }, _) if error.is_away() => {
            failure.hint("is the emulator running with --listen, or the bridge?")
        }
        (OpenError::Tcp { .. }, _) => failure,
        (OpenError::Device { path, .. }, Some(io::ErrorKind::NotFound))
            if path.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            failure.hint("the broker's port goes to -p; --port is the module's device")
        }
        (_, Some(io::ErrorKind::NotFound)) => {
            failure.hint("`atmq ports` lists what is there, and `atmq emulate --link` makes one")
        }
        (OpenError::Device { path, .. }, Some(io::ErrorKind::PermissionDenied)) => {
            failure.hint(join_group(Path::new(path)))
        }
        (_, Some(io::ErrorKind::ResourceBusy)) => failure.hint("another program has it open"),
        (OpenError::Device { .. }, _) => failure.hint("is it a serial device?"),
        _ => failure,
    }
}
