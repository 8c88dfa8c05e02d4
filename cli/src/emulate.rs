use std::fmt::Write as _;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use atmq_emulator::broker::Broker;
use atmq_emulator::{
    BothPorts, Emulator, HostMap, HostRule, Link, NetworkOptions, Profile, Pty, TcpPort,
};
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::capture::{RecordArguments, Recorded};
use crate::failure::{Failure, FailureKind};
use crate::lint::LintReport;
use crate::output::print_line;

/// Emulate a module on a pseudo terminal, on TCP, or both, until Ctrl-C
///
/// Prints one line when it is ready: `ready pty=… link=… tcp=… broker=…`, of these what applies.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which module to be: nt35e, nt26, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "nt35e", value_parser = profile_or_file)]
    profile: String,
    /// Print a profile as TOML, to begin a file for --profile with, and do nothing else
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Profile::names()))]
    print_profile: Option<String>,
    /// Make a symbolic link to the pseudo terminal, removed at the end
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Serve hosts that connect over TCP, one at a time; no pseudo terminal then, unless --link
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Start a broker on a free port of this machine, and send every link to it
    #[arg(long, value_enum)]
    broker: Option<BrokerChoice>,
    /// Send the links to a host elsewhere (repeatable; * is any host)
    #[arg(long = "map", value_name = "HOST[:PORT]=HOST:PORT")]
    maps: Vec<HostRule>,
    /// Answer at once, without the module's latencies
    #[arg(long)]
    instant: bool,
    /// Decides how the latencies are spread
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Tell on stderr what the host does and should not, and sum up at the end; with `deny`, an
    /// error or a warning makes the exit code 1
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "warn"
    )]
    lint: Option<LintMode>,
    /// Print the ready line, and what --lint finds, as lines of JSON on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    record: RecordArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BrokerChoice {
    /// The one in this program: for tests and demos, not for production
    Embedded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LintMode {
    /// Tell
    Warn,
    /// Tell, and fail at the end
    Deny,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(text) = arguments.print_profile.as_deref().and_then(Profile::text) {
        return print_line(text.trim_end());
    }
    let mut profile = read_profile(&arguments.profile)?;
    if arguments.instant {
        profile = profile.instant();
    }
    let mut hosts: HostMap = arguments.maps.into_iter().collect();
    let broker = match arguments.broker {
        Some(BrokerChoice::Embedded) => Some(start_broker().await?),
        None => None,
    };
    let mut ready = Ready::default();
    if let Some(broker) = &broker {
        let address = broker.local_addr();
        hosts.push(everything_to(address));
        ready.add("broker", address.to_string());
    }
    let network = NetworkOptions {
        hosts: hosts.into(),
        ..NetworkOptions::default()
    };
    let mut tcp = None;
    if let Some(address) = &arguments.listen {
        let port = bind(address).await?;
        let address = port
            .local_addr()
            .map_err(|error| no_listener(address, &error))?;
        ready.add("tcp", address.to_string());
        tcp = Some(port);
    }
    let mut pty = None;
    if tcp.is_none() || arguments.link.is_some() {
        let port = Pty::open().map_err(|error| no_pty(&error).hint("try --listen 127.0.0.1:0"))?;
        ready.add("pty", port.path().display().to_string());
        pty = Some(port);
    }
    let name = format!("emulated {}", arguments.profile);
    let recorder = arguments.record.create(&name, None)?;
    // Whoever has read the ready line may end the program, and the link must not stay behind.
    let stopped = stopped();
    let link = match (&pty, arguments.link) {
        (Some(pty), Some(path)) => {
            let link = Link::create(&path, pty.path()).map_err(|error| {
                let path = path.display();
                Failure::new(
                    FailureKind::Unavailable,
                    format!("cannot make the link {path}: {error}"),
                )
                .hint("choose another path, or make room there")
            })?;
            ready.add("link", link.path().display().to_string());
            Some(link)
        }
        _ => None,
    };
    ready.print(arguments.json)?;
    let mut emulator = Emulator::new(profile).seed(arguments.seed).network(network);
    let lint = arguments
        .lint
        .map(|_| Arc::new(Mutex::new(LintReport::new(arguments.json))));
    if let Some(lint) = lint.clone() {
        emulator = emulator.on_finding(move |finding| lock(&lint).found(&finding));
    }
    let served = async {
        match (pty, tcp) {
            (Some(pty), Some(tcp)) => {
                let both = BothPorts::new(pty, tcp);
                emulator.serve(Recorded::new(both, recorder)).await
            }
            (Some(pty), None) => emulator.serve(Recorded::new(pty, recorder)).await,
            (None, Some(tcp)) => emulator.serve(Recorded::new(tcp, recorder)).await,
            (None, None) => pending().await,
        }
    };
    let result = tokio::select! {
        result = served => result.map_err(|error| {
            Failure::new(FailureKind::Unavailable, format!("the module's port failed: {error}"))
        }),
        () = stopped => Ok(()),
    };
    let linted = lint.map_or(Ok(()), |lint| {
        let lint = lock(&lint);
        lint.sum_up()?;
        match arguments.lint {
            Some(LintMode::Deny) => lint.verdict(),
            _ => Ok(()),
        }
    });
    drop(link);
    if let Some(broker) = broker {
        broker.shutdown().await;
    }
    result.and(linted)
}

fn lock(report: &Mutex<LintReport>) -> MutexGuard<'_, LintReport> {
    report.lock().expect("nothing panics with the lock held")
}

/// The name of a profile, or a file: a word that is neither is a name that was mistyped.
fn profile_or_file(value: &str) -> Result<String, String> {
    let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word && !Profile::names().any(|name| name == value) && !Path::new(value).exists() {
        return Err(format!("give one of {}, or a file", known_profiles()));
    }
    Ok(value.to_owned())
}

fn known_profiles() -> String {
    Profile::names().collect::<Vec<_>>().join(", ")
}

/// A profile by its name, or from a file.
fn read_profile(name: &str) -> Result<Profile, Failure> {
    if let Some(profile) = Profile::by_name(name) {
        return Ok(profile);
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot read the profile {name}: {error}"),
        )
        .hint(format!("give one of {}, or a file", known_profiles()))
    })?;
    Profile::parse(&text).map_err(|error| {
        Failure::new(FailureKind::Usage, format!("{name}, {error}"))
            .hint("docs/profiles.md explains every key")
    })
}

/// The embedded broker on a free port of this machine.
pub(crate) async fn start_broker() -> Result<Broker, Failure> {
    Broker::bind("127.0.0.1:0").await.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("the embedded broker cannot listen on 127.0.0.1: {error}"),
        )
    })
}

pub(crate) fn no_pty(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("there is no pseudo terminal to be had: {error}"),
    )
}

fn everything_to(address: SocketAddr) -> HostRule {
    format!("*={address}")
        .parse()
        .expect("an address is a host and a port")
}

async fn bind(address: &str) -> Result<TcpPort, Failure> {
    TcpPort::bind(address)
        .await
        .map_err(|error| no_listener(address, &error))
}

fn no_listener(address: &str, error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("cannot listen on {address}: {error}"),
    )
    .hint("give HOST:PORT of this machine; port 0 takes a free one")
}

/// Waits for Ctrl-C or SIGTERM. These are noticed from the call on, not from the first poll.
pub(crate) fn stopped() -> impl Future<Output = ()> {
    let mut terminated = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupted = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    }
}

/// The line that says where the module is to be found.
#[derive(Default)]
struct Ready(Vec<(&'static str, String)>);

impl Ready {
    /// In the order in which the line shows them.
    const KEYS: [&str; 4] = ["pty", "link", "tcp", "broker"];

    fn add(&mut self, key: &'static str, value: String) {
        self.0.push((key, value));
    }

    fn print(mut self, json: bool) -> Result<(), Failure> {
        self.0
            .sort_by_key(|(key, _)| Self::KEYS.iter().position(|known| known == key));
        if json {
            let mut object = json!({ "event": "ready" });
            for (key, value) in self.0 {
                object[key] = value.into();
            }
            print_line(object.to_string())
        } else {
            let mut line = String::from("ready");
            for (key, value) in self.0 {
                // Writing to a string cannot fail.
                let _ = write!(line, " {key}={value}");
            }
            print_line(line)
        }
    }
}
