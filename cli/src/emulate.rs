mod announce;
mod answer;
mod awaited;
mod chronicle;
mod console;
mod desk;
mod faults;
mod footer;
mod host;
mod profile;
mod reach;
mod ready;
mod socket;
mod status;
mod stdio;
mod values;
mod when;
mod words;

use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use atmq_emulator::broker::Broker;
use atmq_emulator::{Emulator, HostMap, HostRule, NetworkOptions, Profile};
use clap::ValueEnum;

pub(crate) use announce::Announcer;
pub(crate) use answer::TIMED_OUT;
pub(crate) use profile::default_profile;
pub(crate) use reach::listen;
pub(crate) use ready::Ready;
pub(crate) use words::LINE_LIMIT;

use self::chronicle::Chronicle;
use self::desk::Desk;
use self::faults::NotHappened;
use self::footer::Footer;
use self::host::Host;
use self::profile::ProfileArguments;
pub(crate) use self::profile::built_in;
use self::reach::ReachArguments;
use self::socket::ControlSocket;
use crate::capture::RecordArguments;
use crate::failure::{Failure, FailureKind};
use crate::lint::LintReport;
use crate::output::print_line;
use crate::signals::{Signals, stopped};

/// Emulate a module on a pseudo terminal, a TCP port, a serial device or stdin and stdout
///
/// Runs until Ctrl-C. Prints one line when the module is ready: `ready`, followed by whichever of
/// `pty=… link=… tcp=… connect=… port=… stdio=true broker=…` apply.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    profile: ProfileArguments,
    /// Print a built-in profile as TOML, as a start for a file of your own, and exit
    #[arg(long, value_name = "NAME", value_parser = built_in())]
    print_profile: Option<String>,
    /// List the built-in profiles, with model and command set, and exit
    #[arg(long)]
    list_profiles: bool,
    #[command(flatten)]
    reach: ReachArguments,
    /// Start a broker on a free port of this machine, and connect every link to it
    #[arg(long, value_enum)]
    broker: Option<BrokerChoice>,
    /// Connect links for one host to another (repeatable; * matches any host)
    #[arg(long = "map", value_name = "HOST[:PORT]=HOST:PORT")]
    maps: Vec<HostRule>,
    /// Seed for the random latencies
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// Report mistakes of the host on stderr, with a summary at the end; with `deny`, exit with 1
    /// if there was an error or a warning, or a fault that never happened
    #[arg(
        long,
        value_enum,
        value_name = "MODE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "warn"
    )]
    lint: Option<LintMode>,
    /// Print the ready line, findings of --lint, answers of --console and events of the module as
    /// lines of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Accept commands of `atmq control` on this Unix socket
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Read such commands from stdin even if it is not a terminal
    #[arg(long)]
    console: bool,
    #[command(flatten)]
    record: RecordArguments,
    /// Run this program once the module is ready, and exit with its exit code when it ends. In its
    /// arguments, {port} is replaced by the port of the module and {broker} by the address of the
    /// embedded broker; ATMQ_PORT and ATMQ_BROKER are set to them. No ready line is printed
    #[arg(last = true, value_name = "COMMAND")]
    host: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BrokerChoice {
    /// Built into atmq; for tests and demos, not for production
    Embedded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LintMode {
    /// Report findings
    Warn,
    /// Report findings, and exit with 1 if there was an error or a warning
    Deny,
}

pub(crate) async fn run(arguments: Arguments, quiet: bool) -> Result<(), Failure> {
    if let Some(text) = arguments.print_profile.as_deref().and_then(Profile::text) {
        return print_line(text.trim_end());
    }
    if arguments.list_profiles {
        return profile::list();
    }
    arguments.reach.check()?;
    let takes_stdio = arguments.reach.takes_stdout();
    if arguments.console && takes_stdio {
        return Err(Failure::new(
            FailureKind::Usage,
            "--console and --stdio both read standard input",
        )
        .hint("use --control instead of --console"));
    }
    let has_host = !arguments.host.is_empty();
    if has_host && (arguments.console || takes_stdio) {
        return Err(Failure::new(
            FailureKind::Usage,
            "standard input and output are the host's, and --console and --stdio take them",
        )
        .hint("use --control, and reach the module by {port}"));
    }
    let profile = arguments.profile.read()?;
    let name = format!("emulated {}", profile.name);
    let announcer = Announcer::new(arguments.json, takes_stdio);
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
    let mut emulator = Emulator::new(profile).seed(arguments.seed).network(network);
    if let Some(rate) = arguments.reach.rate() {
        emulator = emulator.rate(rate);
    }
    let desk = Desk::new(emulator.control());
    let not_happened = NotHappened::default();
    let remembering = not_happened.clone();
    emulator = emulator.on_end(move |modem| remembering.remember(modem));
    let counting = desk.clone();
    emulator = emulator.on_bytes(move |passed| counting.passed(passed));
    // Whoever has read the ready line may end the program, and the link must not stay behind.
    let mut stopped = pin!(stopped());
    let recorder = arguments.record.create(&name, arguments.reach.rate())?;
    let lint = arguments.lint.map(|_| {
        let report = LintReport::new(announcer, recorder.clone());
        Arc::new(Mutex::new(report))
    });
    if let Some(lint) = lint.clone() {
        emulator = emulator.on_finding(move |finding| lock(&lint).found(&finding));
    }
    let mut chronicle = Chronicle::new(recorder.clone(), announcer);
    emulator = emulator.on_happening(move |happening| chronicle.tell(&happening));
    let reach = tokio::select! {
        reach = arguments.reach.open(&mut ready, &desk, quiet) => reach?,
        () = &mut stopped => return Ok(()),
    };
    let socket = arguments.control.as_deref().map(ControlSocket::open);
    let socket = socket.transpose()?;
    if let Some(socket) = &socket {
        ready.add("control", socket.path().display().to_string());
    }
    // From here on a signal is the host's.
    let mut signals = has_host.then(Signals::new);
    let mut host = match has_host {
        true => Some(Host::start(&arguments.host, &ready, arguments.json)?),
        false => None,
    };
    if !has_host || arguments.json {
        ready.print(announcer)?;
    }
    let denies = arguments.lint == Some(LintMode::Deny);
    let tells_faults = denies || !quiet;
    let quiet = quiet || has_host;
    let console = async {
        let by_itself = !takes_stdio && !arguments.json && !has_host && console::has_terminal();
        if arguments.console || by_itself {
            return console::run(desk.clone(), arguments.json).await;
        }
        pending().await
    };
    let follow = async {
        if !quiet && !arguments.json && !takes_stdio && Footer::has_terminal() {
            Footer::default().follow(desk.clone()).await;
        }
        pending::<()>().await;
    };
    let control = async {
        if let Some(socket) = &socket {
            socket.serve(desk.clone()).await;
        }
        pending::<()>().await;
    };
    let served = async {
        let result = reach.serve(emulator, recorder).await;
        // A host may have more to do than to speak with the module.
        if has_host && result.is_ok() {
            return pending().await;
        }
        result
    };
    let hosted = async {
        match (&mut host, &mut signals) {
            (Some(host), Some(signals)) => host.ends(signals).await,
            _ => pending().await,
        }
    };
    let result = tokio::select! {
        result = served => Some(result),
        result = console => Some(result),
        () = follow => None,
        () = control => None,
        () = desk.quits() => None,
        () = &mut stopped, if !has_host => None,
        result = hosted => {
            host = None;
            Some(result)
        }
    };
    if let Some(host) = &mut host {
        host.end().await;
    }
    let result = result.unwrap_or(Ok(()));
    let linted = lint.map_or(Ok(()), |lint| {
        let lint = lock(&lint);
        lint.sum_up()?;
        match denies {
            true => lint.verdict(),
            false => Ok(()),
        }
    });
    let told = match tells_faults {
        true => not_happened.tell(announcer),
        false => Ok(()),
    };
    let faults = match denies {
        true => not_happened.verdict(),
        false => Ok(()),
    };
    if let Some(broker) = broker {
        broker.shutdown().await;
    }
    result.and(linted).and(told).and(faults)
}

fn lock(report: &Mutex<LintReport>) -> MutexGuard<'_, LintReport> {
    report.lock().expect("nothing panics with the lock held")
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

pub(crate) fn no_link(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::new(
        FailureKind::Unavailable,
        format!("cannot make the link {path}: {error}"),
    )
    .hint("choose another path, or make room there")
}

pub(crate) fn no_pty(error: &io::Error) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("there is no pseudo terminal to be had: {error}"),
    )
}

/// How long the answer to a line of words may take, beyond the time that an emulator needs.
pub(crate) fn waits(line: &str) -> Duration {
    words::Line::waits(line)
}

fn everything_to(address: SocketAddr) -> HostRule {
    format!("*={address}")
        .parse()
        .expect("an address is a host and a port")
}
