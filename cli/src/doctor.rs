mod check;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atmq_driver::{
    BringUp, Clock, ConnectError, Modem, OpenFailure, Progress, Registration, Signal, SimStatus,
};
use atmq_protocol::dialect::UNKNOWN;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::check::{Check, Verdict};
use crate::broker::BrokerArguments;
use crate::duration::seconds;
use crate::failure::{Failure, FailureKind, chain};
use crate::output::{count, print_line};
use crate::port::PortArguments;
use crate::signals::stopped;
use crate::visible::json as to_line;

/// Diagnose why a module does not connect
///
/// Checks the port and its baud rate, then the module, SIM, signal, registration, attach, address
/// and clock, and with -h the broker as well. Prints one line per check, with advice where something
/// is wrong. Changes nothing in the module except echo and error numbers; with -h,
/// connection 0 is used, and closed first if an earlier program has left it open.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Checks")]
pub(crate) struct Arguments {
    /// Wait up to this long for SIM, registration and attach
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    wait: Option<Duration>,
    /// While waiting, set the access point (APN) of the data connection
    #[arg(long, value_name = "NAME", requires = "wait", value_parser = access_point)]
    apn: Option<String>,
    /// Print one line of JSON for each check, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
}

/// Checks the name of an access point: it stands between quotes in a command.
fn access_point(text: &str) -> Result<String, String> {
    let is_good = |character: char| character.is_ascii_graphic() && character != '"';
    match text.chars().all(is_good) {
        true => Ok(text.to_owned()),
        false => Err("a name of letters, digits, dots and hyphens".into()),
    }
}

/// Below this power of the reference signal, in dBm, or below this strength, links suffer. Ours.
const WEAK_DBM: (i16, i16) = (-115, -101);

/// How far the clock may be off before certificates are judged wrongly. Ours.
const CLOCK: Duration = Duration::from_secs(60);

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let stopped = stopped();
    let mut report = Report {
        json: arguments.json,
        counts: [0; 4],
    };
    tokio::select! {
        result = arguments.examine(&mut report) => result,
        () = stopped => {
            report.sum_up()?;
            Err(Failure::new(FailureKind::Stopped, "stopped before all was looked at"))
        }
    }
}

/// Prints checks as they are made, and counts them.
struct Report {
    json: bool,
    /// By verdict.
    counts: [usize; 4],
}

impl Report {
    fn add(&mut self, check: &Check) -> Result<(), Failure> {
        self.counts[check.verdict as usize] += 1;
        match self.json {
            true => print_line(to_line(&check.to_json())),
            false => print_line(check.to_text()),
        }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.counts[verdict as usize]
    }

    fn sum_up(&self) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let sum = json!({
            "event": "summary",
            "ok": self.count(Verdict::Ok),
            "warnings": self.count(Verdict::Warning),
            "failed": self.count(Verdict::Failed),
            "skipped": self.count(Verdict::Skipped),
        });
        print_line(to_line(&sum))
    }
}

impl Arguments {
    async fn examine(&self, report: &mut Report) -> Result<(), Failure> {
        // What cannot be asked for must not be asked for late.
        let options = self.broker.is_given().then(|| self.broker.options());
        let options = options.transpose()?;
        let modem = match self.port.modem_at_any_rate().await {
            Ok(modem) => modem,
            Err(failure) => {
                report.add(&Check::of_failure("port", &failure))?;
                report.sum_up()?;
                return Err(Failure::new(
                    failure.kind(),
                    "there is no module to look at",
                ));
            }
        };
        let rate = modem.found_baud_rate();
        let rate = rate.map_or(String::new(), |rate| format!(" at {rate} baud"));
        let port = self.port.name();
        let detail = format!("{port} is open, and a module answers{rate}");
        report.add(&Check::ok("port", detail))?;
        report.add(&module(&modem).await)?;
        if let Some(limit) = self.wait {
            report.add(&self.wait(&modem, limit).await)?;
        }
        report.add(&sim(&modem).await)?;
        report.add(&signal(&modem).await)?;
        report.add(&registration(&modem).await)?;
        report.add(&attach(&modem).await)?;
        let address = address(&modem).await;
        report.add(&address)?;
        report.add(&clock(&modem).await)?;
        let mqtt = match options {
            None => Check::skipped("mqtt", "no broker given").hint("-h looks at one"),
            Some(_) if address.verdict == Verdict::Failed => {
                Check::skipped("mqtt", "the module has no address")
            }
            Some(options) => {
                let start = Instant::now();
                match modem.connect(options).await {
                    Err(error) => Check::of_failure("mqtt", &self.connect_failure(&error)),
                    Ok((client, _messages)) => {
                        let took = start.elapsed().as_secs_f64();
                        let _ = client.disconnect().await;
                        let broker = self.broker.address()?;
                        Check::ok("mqtt", format!("connected to {broker} in {took:.1} s"))
                    }
                }
            }
        };
        report.add(&mqtt)?;
        report.sum_up()?;
        match report.count(Verdict::Failed) {
            0 => Ok(()),
            failed => Err(Failure::new(
                FailureKind::Refused,
                format!("{} failed", count(failed, "check")),
            )),
        }
    }

    /// A connection that could not be made. Who is told by the doctor need not be sent to it.
    fn connect_failure(&self, error: &ConnectError) -> Failure {
        let failure = self.broker.connect_failure(error);
        match error {
            ConnectError::Open {
                failure: OpenFailure::Network | OpenFailure::PdpActivation,
                ..
            } => failure.hint("check -h and -p, and that the SIM's network lets it through"),
            _ => failure,
        }
    }

    /// Brings the module up, telling how it goes.
    async fn wait(&self, modem: &Modem, limit: Duration) -> Check {
        let json = self.json;
        let bring_up = BringUp::default()
            .limit(limit)
            .on_progress(move |progress| {
                if json {
                    let line = json!({ "event": "progress", "what": progress.to_string() });
                    // It fails again at the next check, and is told then.
                    let _ = print_line(to_line(&line));
                } else {
                    let _ = print_line(format!("      {progress}"));
                }
            });
        let bring_up = match &self.apn {
            Some(apn) => bring_up.apn(apn),
            None => bring_up,
        };
        match modem.bring_up(bring_up).await {
            Ok(network) => Check::ok(
                "wait",
                format!("up after {:.1} s", network.took.as_secs_f64()),
            ),
            Err(error) => Check::failed("wait", chain(&error)),
        }
    }
}

async fn module(modem: &Modem) -> Check {
    let identity = match modem.identify().await {
        Ok(identity) => identity,
        Err(error) => return Check::of_error("module", &error),
    };
    let Some(model) = identity.model else {
        let check = Check::warning("module", "it does not tell its model");
        return check.hint(format!("the limits of the {} are assumed", UNKNOWN.name));
    };
    let mut detail = model;
    for (words, value) in [
        ("by", identity.manufacturer),
        ("firmware", identity.revision),
        ("IMEI", identity.imei),
    ] {
        if let Some(value) = value {
            detail.push_str(&format!(", {words} {value}"));
        }
    }
    Check::ok("module", detail)
}

async fn sim(modem: &Modem) -> Check {
    match modem.sim_status().await {
        Ok(status @ SimStatus::Ready) => Check::ok("sim", Progress::Sim(status).to_string()),
        Ok(status) => {
            let hint = match status {
                SimStatus::PinRequired => "enter it: atmq at 'AT+CPIN=\"…\"'",
                SimStatus::PukRequired => "enter PUK and a new PIN: atmq at 'AT+CPIN=\"…\",\"…\"'",
                SimStatus::NotInserted => {
                    "insert one, with the contacts the right way, and restart the module"
                }
                SimStatus::NotReady => "--wait gives it time; else restart the module",
                SimStatus::Failed => "clean its contacts, or try another one",
                _ => "ask whoever issued the card",
            };
            Check::failed("sim", Progress::Sim(status).to_string()).hint(hint)
        }
        Err(error) => Check::of_error("sim", &error),
    }
}

async fn signal(modem: &Modem) -> Check {
    let signal = match modem.signal().await {
        Ok(signal) => signal,
        Err(error) => return Check::of_error("signal", &error),
    };
    let words = Progress::Signal(signal).to_string();
    match is_weak(signal) {
        None => Check::warning("signal", words).hint("is the antenna connected?"),
        Some(true) => Check::warning("signal", format!("{words}: weak"))
            .hint("move the antenna; links will be slow and break"),
        Some(false) => Check::ok("signal", words),
    }
}

/// `None` if there is no signal.
fn is_weak(signal: Signal) -> Option<bool> {
    let Signal {
        rssi_dbm, rsrp_dbm, ..
    } = signal;
    let is_below = |value: Option<i16>, limit| value.map(|value| value < limit);
    let weak = [
        is_below(rsrp_dbm, WEAK_DBM.0),
        is_below(rssi_dbm, WEAK_DBM.1),
    ];
    weak.into_iter().flatten().reduce(|one, other| one || other)
}

async fn registration(modem: &Modem) -> Check {
    let status = match modem.registration().await {
        Ok(status) => status,
        Err(error) => return Check::of_error("registration", &error),
    };
    let mut words = Progress::Registration(status).to_string();
    if !status.is_registered() {
        let hint = match status.registration {
            Registration::HomeSmsOnly | Registration::RoamingSmsOnly => {
                "does the SIM's contract have data?"
            }
            Registration::EmergencyOnly => "is the SIM active, and does it allow this network?",
            _ => "--wait gives it time; else look at antenna, SIM contract and band",
        };
        return Check::failed("registration", words).hint(hint);
    }
    // Whose network it is, is worth a word and no failure.
    if let Ok(Some(operator)) = modem.operator().await {
        words.push_str(&format!(", operator {}", operator.name));
    }
    Check::ok("registration", words)
}

async fn attach(modem: &Modem) -> Check {
    match modem.is_attached().await {
        Ok(true) => Check::ok("attach", Progress::Attached.to_string()),
        Ok(false) => Check::failed("attach", "not attached to the packet network")
            .hint("--wait gives it time; else check the access point (AT+CGDCONT?)"),
        Err(error) => Check::of_error("attach", &error),
    }
}

async fn address(modem: &Modem) -> Check {
    match modem.addresses().await {
        Ok(addresses) if addresses.is_empty() => {
            let check = Check::failed("address", "the network has assigned none");
            check.hint("check the access point (AT+CGDCONT?)")
        }
        Ok(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(|one| one.ip.to_string()).collect();
            Check::ok("address", addresses.join(", "))
        }
        Err(error) => Check::of_error("address", &error),
    }
}

async fn clock(modem: &Modem) -> Check {
    match modem.clock().await {
        Ok(clock) => clock_at(clock, SystemTime::now()),
        Err(error) => Check::of_error("clock", &error),
    }
}

/// What hangs on a clock, and who sets it.
const JUDGED: &str = "TLS judges certificates by it unless --ignore-time";
const SET: &str = "(AT+CTZU=1), or you (AT+CCLK=)";

/// Judges the module's clock by this machine's, which shows `here`.
fn clock_at(clock: Clock, here: SystemTime) -> Check {
    if !clock.is_set() {
        let detail =
            format!("the clock is not set (it shows {clock}): the network has not sent the time");
        return Check::warning("clock", detail)
            .hint(format!("{JUDGED}: wait for the network {SET}"));
    }
    let shown = clock.since_epoch().and_then(|since| {
        let seconds = since.as_secs().try_into().ok()?;
        let shown = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        Some((since, shown.format(&Rfc3339).ok()?))
    });
    let Some((module, mut shown)) = shown else {
        let detail = format!("it shows no time: {clock}");
        return Check::warning("clock", detail)
            .hint(format!("{JUDGED}: the network sets it {SET}"));
    };
    if clock.zone.is_none() {
        shown.push_str(" if that is UTC, for it shows no time zone");
    }
    let here = here.duration_since(UNIX_EPOCH).unwrap_or_default();
    let off = here.abs_diff(module);
    let detail = format!("{shown}, {} s off this machine's", off.as_secs());
    match off <= CLOCK {
        true => Check::ok("clock", detail),
        false => {
            Check::warning("clock", detail).hint(format!("{JUDGED}: the network sets it {SET}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T01:05:07Z
    const HERE: Duration = Duration::from_secs(1_795_223_107);

    #[test]
    fn a_clock_is_judged_by_what_it_shows() {
        for (zone, hour, verdict, words) in [
            (Some(32), 9, Verdict::Ok, "2026-11-21T01:05:07Z, 0 s off"),
            (Some(0), 9, Verdict::Warning, "28800 s off"),
            (None, 1, Verdict::Ok, "if that is UTC"),
            (None, 9, Verdict::Warning, "if that is UTC"),
            (
                Some(0),
                25,
                Verdict::Warning,
                "it shows no time: 26/11/21,25:05:07+00",
            ),
        ] {
            let clock = Clock {
                year: 2026,
                month: 11,
                day: 21,
                hour,
                minute: 5,
                second: 7,
                zone,
            };
            let check = clock_at(clock, UNIX_EPOCH + HERE);
            let text = check.to_text();
            assert_eq!(check.verdict, verdict, "{text}");
            assert!(text.contains(words), "no `{words}` in {text}");
            let unset = Clock {
                year: 1970,
                ..clock
            };
            let text = clock_at(unset, UNIX_EPOCH + HERE).to_text();
            assert!(text.contains("the clock is not set"), "{text}");
        }
    }
}
