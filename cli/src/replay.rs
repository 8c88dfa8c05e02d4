//! `atmq replay`

mod compare;
mod host;
mod module;
mod script;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use atmq_emulator::{Link, Port, Pty};
use clap::ValueEnum;

use self::compare::Comparison;
use self::script::Script;
pub(crate) use self::show::{as_json, as_text, incomplete, utc, who};
use crate::capture::{Capture, Mask, RecordArguments, Recorded};
use crate::duration::seconds;
use crate::emulate::{listen, no_link, no_pty};
use crate::failure::{Failure, FailureKind};
use crate::output::print_line;
use crate::port::{self, port_name};
use crate::secret::from_environment;
use crate::signals::stopped;
use crate::visible::visible;

/// Show a capture, or play one side of it and compare the other
///
/// Reads files written by --record, and other captures of serial lines in pcapng or pcap (link type
/// RTAC serial). Of a damaged file, shows what can be read and then what is wrong.
///
/// With `--as module`, answers a host on a pseudo terminal or TCP as the module did. With
/// `--as host`, sends to a module what the host sent. Either way, reports where the other side
/// differs from the capture, and exits with 1 if it does.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Capture to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Show the bytes as they were transferred, instead of lines
    #[arg(long, conflicts_with_all = ["json", "role"])]
    raw: bool,
    /// Print one line of JSON for each line of the dialogue
    #[arg(long, conflicts_with = "role")]
    json: bool,
    #[command(flatten)]
    play: PlayArguments,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Playing")]
struct PlayArguments {
    /// Side to play
    #[arg(long = "as", value_enum, value_name = "SIDE")]
    role: Option<Role>,
    /// With --as host: port of the module, a serial device, tcp://HOST:PORT or rfc2217://HOST:PORT
    #[arg(long, value_name = "DEVICE", env = "ATMQ_PORT", value_parser = port_name)]
    port: Option<String>,
    /// Baud rate of the serial device
    #[arg(long, value_name = "RATE", default_value_t = 115_200)]
    baud: u32,
    /// With --as module: create a symbolic link to the pseudo terminal; it is removed on exit
    #[arg(long, value_name = "PATH", requires = "role")]
    link: Option<PathBuf>,
    /// With --as module: accept a host over TCP, instead of a pseudo terminal
    #[arg(
        long,
        value_name = "HOST:PORT",
        requires = "role",
        conflicts_with = "link"
    )]
    listen: Option<String>,
    /// Play this many times faster than recorded
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Play without pauses
    #[arg(long, conflicts_with = "speed")]
    instant: bool,
    /// Ignore differences in what matches, such as a client id (repeatable)
    #[arg(long = "mask", value_name = "REGEX")]
    masks: Vec<Mask>,
    /// With --as host: how much longer than in the capture an answer may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    patience: Duration,
    #[command(flatten)]
    record: RecordArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Answer a host as the module did
    Module,
    /// Send to the module at --port what the host sent; ATMQ_PASSWORD replaces a masked secret
    Host,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Some(role) = arguments.play.role else {
        let how = match (arguments.raw, arguments.json) {
            (true, _) => show::How::Raw,
            (_, true) => show::How::Json,
            _ => show::How::Text,
        };
        return show::show(Capture::open(&arguments.file)?, how);
    };
    let script = Script::load(&arguments.file)?;
    match role {
        Role::Host => arguments.play.play_host(&script).await,
        Role::Module => arguments.play.play_module(&script).await,
    }
}

impl PlayArguments {
    async fn play_host(&self, script: &Script) -> Result<(), Failure> {
        let Some(name) = &self.port else {
            let failure = Failure::new(FailureKind::Usage, "there is no module to play to");
            return Err(failure.hint("give --port"));
        };
        let comparison = Comparison::new(self.masks.clone(), "module");
        let (speed, patience) = (self.speed(), self.patience);
        let secret = from_environment("ATMQ_PASSWORD")?;
        if let (Some(said), None) = (script.hidden(), &secret) {
            // Before anything is sent: half a session is not played.
            let line = visible(&said.bytes);
            let what = format!("the capture hides a secret: {line}");
            return Err(Failure::new(FailureKind::Usage, what).hint("give it in ATMQ_PASSWORD"));
        }
        let recorder = self.record.create(name, Some(self.baud))?;
        let stopped = stopped();
        let playing = async {
            let port = Recorded::new(port::open(name, self.baud).await?, recorder);
            let mut player = host::Player::new(port, comparison, speed, patience, secret);
            player.play(script).await
        };
        tokio::select! {
            result = playing => result,
            () = stopped => Err(Failure::new(FailureKind::Stopped, "stopped before all was played")),
        }
    }

    async fn play_module(&self, script: &Script) -> Result<(), Failure> {
        if let Some(address) = &self.listen {
            let port = listen(address).await?;
            let bound = port.local_addr();
            let recorder = self.record.create(&format!("tcp://{bound}"), None)?;
            let (port, ready) = (Recorded::new(port, recorder), format!("ready tcp={bound}"));
            return self.answer(script, port, ready).await;
        }
        let pty = Pty::open().map_err(|error| no_pty(&error).hint("try --listen 127.0.0.1:0"))?;
        let recorder = self.record.create(&pty.path().to_string_lossy(), None)?;
        let path = self.link.as_ref();
        let link =
            path.map(|path| Link::create(path, pty.path()).map_err(|error| no_link(path, &error)));
        let link = link.transpose()?;
        let mut ready = format!("ready pty={}", pty.path().display());
        if let Some(link) = &link {
            ready.push_str(&format!(" link={}", link.path().display()));
        }
        let result = self
            .answer(script, Recorded::new(pty, recorder), ready)
            .await;
        drop(link);
        result
    }

    async fn answer<P: Port>(
        &self,
        script: &Script,
        port: P,
        ready: String,
    ) -> Result<(), Failure> {
        // Whoever has read the ready line may end the program.
        let stopped = stopped();
        print_line(ready)?;
        let comparison = Comparison::new(self.masks.clone(), "host");
        let mut player = module::Player::new(port, comparison, self.speed());
        tokio::select! {
            result = player.play(script) => result?,
            () = stopped => {}
        }
        player.end()
    }

    /// What times are divided by; `None`: there are none.
    fn speed(&self) -> Option<f64> {
        (!self.instant).then_some(self.speed)
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.001..=1e6).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.001 to 1000000".into()),
    }
}
