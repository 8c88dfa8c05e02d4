//! How a host reaches the module.

use std::io;
use std::path::PathBuf;

use atmq_emulator::{
    BothPorts, DevicePort, DialPort, Emulator, HostEvent, Link, Port, Pty, TcpPort,
};

use super::desk::Desk;
use super::ready::Ready;
use super::stdio::Stdio;
use crate::capture::{Recorded, Recorder};
use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::port::host_and_port;

/// How a host reaches the module: on a pseudo terminal, unless one of the others is given.
#[derive(Debug, clap::Args)]
pub(super) struct ReachArguments {
    /// Create a symbolic link to the pseudo terminal; it is removed on exit
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Accept hosts over TCP, one at a time, instead of a pseudo terminal (--link adds one)
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Connect to a host that listens, such as a board simulator, and retry until it is there and
    /// whenever it is lost, instead of a pseudo terminal (--link adds one)
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    connect: Option<String>,
    /// With --listen or --connect: serve one host, and exit when it disconnects
    #[arg(long)]
    once: bool,
    /// Use a serial device that is wired to a board, instead of a pseudo terminal (--link adds one)
    #[arg(long, value_name = "DEVICE")]
    port: Option<String>,
    /// With --port: baud rate of the device until the host changes it with AT+IPR [default: 115200]
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(1..))]
    baud: Option<u32>,
    /// Use stdin and stdout as the serial line; the ready line and messages go to stderr
    #[arg(long)]
    stdio: bool,
}

/// Checks `HOST:PORT`.
fn address(text: &str) -> Result<String, String> {
    host_and_port(text).map(|_| text.to_owned())
}

impl ReachArguments {
    /// Whether nothing may be printed on standard output.
    pub(super) fn takes_stdout(&self) -> bool {
        self.stdio
    }

    /// The rate of the line, where it has one.
    pub(super) fn rate(&self) -> Option<u32> {
        self.port.as_ref().map(|_| self.baud.unwrap_or(115_200))
    }

    /// Refuses what does not go together.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let usage = |what: String, hint: &str| {
            Err(Failure::new(FailureKind::Usage, what).hint(hint.to_owned()))
        };
        let ways = [
            ("--listen", self.listen.is_some()),
            ("--connect", self.connect.is_some()),
            ("--port", self.port.is_some()),
            ("--stdio", self.stdio),
        ];
        let mut given = ways.iter().filter(|(_, given)| *given);
        if let (Some((one, _)), Some((other, _))) = (given.next(), given.next()) {
            return usage(
                format!("{one} and {other} are each a way to reach the module, and it takes one"),
                "leave one out; --link adds a pseudo terminal to either",
            );
        }
        if self.once && self.listen.is_none() && self.connect.is_none() {
            return usage(
                "--once serves one host that connects or is dialled".to_owned(),
                "give it with --listen or --connect",
            );
        }
        if self.baud.is_some() && self.port.is_none() {
            return usage(
                "--baud is the rate of a serial device, and there is none".to_owned(),
                "give it with --port",
            );
        }
        Ok(())
    }

    /// Opens what was asked for, and says where it is.
    pub(super) async fn open(
        self,
        ready: &mut Ready,
        desk: &Desk,
        quiet: bool,
    ) -> Result<Reach, Failure> {
        let other = self.open_other(ready, desk, quiet).await?;
        let mut pty = None;
        if other.is_none() || self.link.is_some() {
            let port = Pty::open()
                .map_err(|error| super::no_pty(&error).hint("try --listen 127.0.0.1:0"))?;
            ready.add("pty", port.path().display().to_string());
            pty = Some(port);
        }
        let link = match (&pty, self.link) {
            (Some(pty), Some(path)) => {
                let link = Link::create(&path, pty.path())
                    .map_err(|error| super::no_link(&path, &error))?;
                ready.add("link", link.path().display().to_string());
                Some(link)
            }
            _ => None,
        };
        Ok(Reach { pty, other, link })
    }

    async fn open_other(
        &self,
        ready: &mut Ready,
        desk: &Desk,
        quiet: bool,
    ) -> Result<Option<Other>, Failure> {
        if let Some(address) = &self.listen {
            let desk = desk.clone();
            let mut port = listen(address)
                .await?
                .on_event(move |event| follow(&desk, &event));
            ready.add("tcp", port.local_addr().to_string());
            if self.once {
                port = port.once();
            }
            return Ok(Some(Other::Listen(port)));
        }
        if let Some(address) = &self.connect {
            let port = if self.once {
                desk.set_host(Some(address.clone()));
                dial_once(address).await?
            } else {
                let desk = desk.clone();
                let mut tell = tell_of(address.clone());
                DialPort::new(address).on_event(move |event| {
                    follow(&desk, &event);
                    if !quiet {
                        tell(event);
                    }
                })
            };
            ready.add("connect", address);
            return Ok(Some(Other::Dial(port)));
        }
        if let (Some(device), Some(rate)) = (&self.port, self.rate()) {
            let port =
                DevicePort::open(device, rate).map_err(|error| no_device(device, rate, &error))?;
            ready.add("port", device);
            return Ok(Some(Other::Device(device.clone(), port)));
        }
        if self.stdio {
            let port = Stdio::open().map_err(|error| {
                Failure::new(
                    FailureKind::Unavailable,
                    format!("cannot set the terminal to raw mode: {error}"),
                )
            })?;
            ready.add("stdio", "true");
            return Ok(Some(Other::Stdio(port)));
        }
        Ok(None)
    }
}

/// Where hosts are, ready to be served.
pub(super) struct Reach {
    pty: Option<Pty>,
    other: Option<Other>,
    link: Option<Link>,
}

impl Reach {
    /// Runs the module until no host can come back.
    pub(super) async fn serve(
        self,
        emulator: Emulator,
        recorder: Option<Recorder>,
    ) -> Result<(), Failure> {
        let device = match &self.other {
            Some(Other::Device(device, _)) => Some(device.clone()),
            _ => None,
        };
        let served = match (self.pty, self.other) {
            (Some(pty), Some(other)) => {
                let both = BothPorts::new(pty, other);
                emulator.serve(Recorded::new(both, recorder)).await
            }
            (Some(pty), None) => emulator.serve(Recorded::new(pty, recorder)).await,
            (None, Some(other)) => emulator.serve(Recorded::new(other, recorder)).await,
            (None, None) => unreachable!("without another port a pseudo terminal is opened"),
        };
        drop(self.link);
        served.map_err(|error| match device {
            Some(device) => Failure::new(
                FailureKind::Unavailable,
                format!("{device} is lost: {error}"),
            )
            .hint("is it still plugged in?"),
            None => Failure::new(
                FailureKind::Unavailable,
                format!("the module's port failed: {error}"),
            ),
        })
    }
}

/// A port beside the pseudo terminal.
enum Other {
    Listen(TcpPort),
    Dial(DialPort),
    Device(String, DevicePort),
    Stdio(Stdio),
}

impl Port for Other {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Listen(port) => port.read(buffer).await,
            Self::Dial(port) => port.read(buffer).await,
            Self::Device(_, port) => port.read(buffer).await,
            Self::Stdio(port) => port.read(buffer).await,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Listen(port) => port.write(bytes).await,
            Self::Dial(port) => port.write(bytes).await,
            Self::Device(_, port) => port.write(bytes).await,
            Self::Stdio(port) => port.write(bytes).await,
        }
    }

    async fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        match self {
            Self::Device(_, port) => port.set_rate(rate).await,
            Self::Listen(_) | Self::Dial(_) | Self::Stdio(_) => Ok(()),
        }
    }

    fn set_busy(&mut self, busy: bool) {
        match self {
            Self::Listen(port) => port.set_busy(busy),
            Self::Dial(port) => port.set_busy(busy),
            Self::Device(..) | Self::Stdio(_) => {}
        }
    }
}

/// Listens for hosts.
pub(crate) async fn listen(address: &str) -> Result<TcpPort, Failure> {
    TcpPort::bind(address).await.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot listen on {address}: {error}"),
        )
        .hint("give HOST:PORT of this machine; port 0 takes a free one")
    })
}

async fn dial_once(address: &str) -> Result<DialPort, Failure> {
    DialPort::once(address).await.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot connect to {address}: {error}"),
        )
        .hint("start the host first, or leave out --once to have it tried again")
    })
}

fn no_device(device: &str, rate: u32, error: &io::Error) -> Failure {
    let failure = Failure::new(
        FailureKind::Unavailable,
        format!("cannot open {device} at {rate} bits per second: {error}"),
    );
    match error.kind() {
        io::ErrorKind::NotFound => failure.hint("`atmq ports` lists what is there"),
        io::ErrorKind::PermissionDenied => {
            failure.hint("join the group that owns the device, often `dialout`")
        }
        io::ErrorKind::ResourceBusy => failure.hint("another program has it open"),
        _ => failure.hint("is it a serial device, and can it do this rate?"),
    }
}

/// Keeps the desk informed of who is there.
fn follow(desk: &Desk, event: &HostEvent) {
    match event {
        HostEvent::Connected(address) => desk.set_host(Some(address.to_string())),
        HostEvent::Gone => desk.set_host(None),
        HostEvent::NotReached { .. } => {}
    }
}

/// Tells what becomes of the host that is dialled: once, however often it is tried.
fn tell_of(address: String) -> impl FnMut(HostEvent) + Send {
    let mut waiting = false;
    move |event| match event {
        HostEvent::NotReached { error, .. } if !waiting => {
            waiting = true;
            tell(&format!(
                "atmq: cannot connect to {address} yet: {error}; trying again until it can be reached"
            ));
        }
        HostEvent::NotReached { .. } => {}
        HostEvent::Connected(_) if !waiting => {}
        HostEvent::Connected(_) => {
            waiting = false;
            tell(&format!("atmq: connected to {address}"));
        }
        HostEvent::Gone => {
            waiting = true;
            tell(&format!("atmq: {address} has gone; dialling again"));
        }
    }
}
