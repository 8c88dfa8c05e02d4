//! Does what words say, to a module that runs.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atmq_emulator::lint::Severity;
use atmq_emulator::modem::{Cell, Effect, Modem, Operator, Sim};
use atmq_emulator::{Control, Passed, ProfileChange};
use atmq_protocol::mqtt::{ConnectionId, LinkStatus};
use atmq_protocol::standard::{Registration, SignalQuality};
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::answer::Answer;
use super::awaited::Awaited;
use super::faults;
use super::status::{Status, registration_name};
use super::words::{Bytes, Line, NetworkTime, PowerState, RegistrationState, SimWord, Word};
use crate::duration::short;

/// Does what words say. Cheap to clone; all clones are of one module.
#[derive(Clone)]
pub(super) struct Desk {
    control: Control,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    from_host: AtomicU64,
    to_host: AtomicU64,
    muted: AtomicBool,
    /// In percent.
    loss: AtomicU8,
    /// The host at the other end of a TCP connection, while there is one.
    host: Mutex<Option<String>>,
    quit: Notify,
}

impl Desk {
    pub(super) fn new(control: Control) -> Self {
        Self {
            control,
            shared: Arc::default(),
        }
    }

    /// Counts what passes on the line.
    pub(super) fn passed(&self, passed: Passed<'_>) {
        let (count, bytes) = match passed {
            Passed::FromHost(bytes) => (&self.shared.from_host, bytes),
            Passed::ToHost(bytes) => (&self.shared.to_host, bytes),
        };
        count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    /// Who is at the other end.
    pub(super) fn set_host(&self, host: Option<String>) {
        let mut held = self
            .shared
            .host
            .lock()
            .expect("nothing panics with it held");
        *held = host;
    }

    /// Waits until somebody says `quit`.
    pub(super) async fn quits(&self) {
        self.shared.quit.notified().await;
    }

    pub(super) fn quit(&self) {
        self.shared.quit.notify_one();
    }

    /// Reads a line and does what it says. Returns the one line that answers it; `None` if there
    /// is nothing on it. `json`: all lines are answered in JSON, not only those that ask for it.
    pub(super) async fn line(&self, line: &str, json: bool) -> Option<String> {
        Some(match Line::read(line)? {
            Ok(line) => self.answer(line.word).await.line(json || line.json),
            // Whoever wants JSON wants it now, too.
            Err(error) => {
                let json = json || line.split_whitespace().any(|word| word == "--json");
                Answer::Refused(error).line(json)
            }
        })
    }

    async fn answer(&self, word: Word) -> Answer {
        match word {
            Word::Status => match self.status().await {
                Some(status) => Answer::Done(status.to_string(), status.json()),
                None => gone(),
            },
            Word::Help { word } => help(word.as_deref()),
            Word::Quit => {
                self.quit();
                Answer::done("ends")
            }
            Word::Mute => self.mute(true),
            Word::Unmute => self.mute(false),
            Word::Loss { percent } => {
                self.control.set_loss(percent);
                self.shared.loss.store(percent, Ordering::Relaxed);
                Answer::done(format!("{percent} % of what the module sends is lost"))
            }
            Word::Wait { state, timeout } => self.wait(state, timeout).await,
            word => {
                let answer = self.control.ask(move |modem, now| change(word, modem, now));
                answer.await.unwrap_or_else(gone)
            }
        }
    }

    fn mute(&self, mute: bool) -> Answer {
        self.control.set_muted(mute);
        self.shared.muted.store(mute, Ordering::Relaxed);
        Answer::done(if mute {
            "what the module sends is lost"
        } else {
            "what the module sends arrives"
        })
    }

    async fn wait(&self, awaited: Awaited, limit: Duration) -> Answer {
        let can_be = self.control.ask(move |modem, _| awaited.check(modem)).await;
        match can_be {
            Some(Ok(())) => {}
            Some(Err(error)) => return Answer::Refused(error.to_string()),
            None => return gone(),
        }
        let reached = self.control.wait_until(move |modem| awaited.is_so(modem));
        match timeout(limit, reached).await {
            Ok(true) => Answer::done(awaited.to_string()),
            Ok(false) => gone(),
            Err(_) => {
                let instead = self.control.ask(move |modem, _| awaited.instead(modem));
                let Some(instead) = instead.await else {
                    return gone();
                };
                let limit = short(limit);
                Answer::TimedOut(format!("after {limit}: not {awaited}, {instead}"))
            }
        }
    }

    /// How things stand; `None` once the module no longer runs.
    pub(super) async fn status(&self) -> Option<Status> {
        let mut status = self.control.ask(|modem, _| Status::of(modem)).await?;
        status.from_host = self.shared.from_host.load(Ordering::Relaxed);
        status.to_host = self.shared.to_host.load(Ordering::Relaxed);
        status.muted = self.shared.muted.load(Ordering::Relaxed);
        status.loss = self.shared.loss.load(Ordering::Relaxed);
        let host = self
            .shared
            .host
            .lock()
            .expect("nothing panics with it held");
        status.host.clone_from(&host);
        Some(status)
    }
}

/// Lists the words, or says what this one does.
fn help(word: Option<&str>) -> Answer {
    let mut words = Line::help();
    words.retain(|(usage, _)| word.is_none() || usage.split(' ').next() == word);
    let text: Vec<_> = words
        .iter()
        .map(|(usage, about)| match word {
            None => usage.clone(),
            Some(_) => format!("{usage}: {about}"),
        })
        .collect();
    if let (Some(word), []) = (word, &*text) {
        return Answer::Refused(format!("there is no word '{word}'; help lists them"));
    }
    let facts: serde_json::Map<_, _> = words
        .into_iter()
        .map(|(usage, about)| (usage, about.into()))
        .collect();
    Answer::Done(text.join("; "), json!({ "words": facts }))
}

fn gone() -> Answer {
    Answer::Refused("the module no longer runs".to_owned())
}

/// Changes the module, or what surrounds it.
fn change(word: Word, modem: &mut Modem, now: Instant) -> Answer {
    match word {
        Word::Sim(SimWord::Out) => {
            modem.set_sim(None, now);
            Answer::done("sim out")
        }
        Word::Sim(SimWord::In { pin, puk }) => {
            let sim = match pin {
                Some(pin) => Sim::locked(pin, puk),
                None => Sim::unlocked(),
            };
            let text = format!("sim in, {}", sim.status());
            modem.set_sim(Some(sim), now);
            Answer::done(text)
        }
        Word::Signal { rssi, ber } => {
            modem.set_signal(SignalQuality { rssi, ber });
            Answer::done(format!("signal {rssi},{ber}"))
        }
        Word::Registration { state } => {
            let registration = match state {
                RegistrationState::Home => Registration::Home,
                RegistrationState::Roaming => Registration::Roaming,
                RegistrationState::Searching => Registration::Searching,
                RegistrationState::Denied => Registration::Denied,
                RegistrationState::None => Registration::NotRegistered,
            };
            modem.set_registration(registration, now);
            let text = format!("registration {}", registration_name(registration));
            if modem.own_registration() == registration {
                return Answer::done(text);
            }
            Answer::done(format!("{text}, once SIM and radio are ready"))
        }
        Word::Operator { number, name } => {
            let name = name.unwrap_or_else(|| number.clone());
            let text = format!("operator {number} {name}");
            modem.set_operator(Operator { number, name });
            Answer::done(text)
        }
        Word::Cell { area, id } => {
            let mut cells = modem.world().cells().to_vec();
            match cells.first_mut() {
                Some(serving) => (serving.area, serving.id) = (area, id),
                None => cells.push(Cell {
                    area,
                    id,
                    ..Cell::default()
                }),
            }
            modem.set_cells(cells, now);
            Answer::done(format!("cell {area} {id}"))
        }
        Word::Position {
            longitude,
            latitude,
        } => {
            if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
                return Answer::Refused("longitude is -180 to 180, latitude -90 to 90".to_owned());
            }
            modem.set_position(longitude, latitude);
            Answer::done(format!("position {longitude} {latitude}"))
        }
        Word::Time { time, zone } => set_time(time, zone, modem, now),
        Word::Asleep | Word::Awake => {
            let asleep = matches!(word, Word::Asleep);
            modem.set_asleep(asleep, now);
            Answer::done(if asleep { "asleep" } else { "awake" })
        }
        Word::Reboot => {
            modem.reset(now);
            Answer::done("starts anew")
        }
        Word::Power {
            state: PowerState::Off,
        } => {
            modem.power_off(now);
            Answer::done("power off")
        }
        Word::Power {
            state: PowerState::On,
        } => {
            modem.power_on(now);
            Answer::done("power on")
        }
        Word::Drop { connection } => drop_links(connection, modem, now),
        Word::Inject { line, raw } => inject(&line, raw, modem, now),
        Word::Set { change } => set_latency(&change, modem),
        Word::Override { command, answer } => faults::add_answer(command, answer, modem, now),
        Word::Delay { command, by, when } => {
            faults::add(command, Effect::Late(by), &when, modem, now)
        }
        Word::Silence { command, when } => faults::add(command, Effect::Silent, &when, modem, now),
        Word::LoseResult { command, when } => {
            faults::add(command, Effect::ResultLost, &when, modem, now)
        }
        Word::LoseUrc { urc, when } => faults::add(urc, Effect::UrcLost, &when, modem, now),
        Word::Faults => faults::list(modem, now),
        Word::Clear => faults::clear(modem, now),
        Word::Mute
        | Word::Unmute
        | Word::Loss { .. }
        | Word::Wait { .. }
        | Word::Status
        | Word::Help { .. }
        | Word::Quit => unreachable!("these are done without changing the module"),
    }
}

fn set_time(time: NetworkTime, zone: Option<i8>, modem: &mut Modem, now: Instant) -> Answer {
    // A quarter of an hour has 900 seconds.
    let (time, own_zone) = match time {
        NetworkTime::Now => (SystemTime::now(), None),
        NetworkTime::Seconds(seconds) => {
            match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
                Some(time) => (time, None),
                None => return Answer::Refused(format!("there is no second {seconds}")),
            }
        }
        NetworkTime::At(time) => {
            let quarters = time.offset().whole_seconds() / 900;
            (time.into(), i8::try_from(quarters).ok())
        }
    };
    let zone = zone.or(own_zone).unwrap_or(0);
    modem.set_network_time(time, zone, now);
    Answer::done(format!("the network tells its time, zone {zone:+}"))
}

fn drop_links(connection: Option<u8>, modem: &mut Modem, now: Instant) -> Answer {
    let ids: Vec<_> = match connection {
        Some(id) => vec![ConnectionId(id)],
        None => modem.connections().iter().map(|open| open.id).collect(),
    };
    for id in &ids {
        if let Err(error) = modem.lose_link(*id, LinkStatus::ClosedByServer, None, now) {
            return Answer::Refused(error.to_string());
        }
    }
    let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
    let text = match &*ids {
        [] => "no connection is open".to_owned(),
        ids => {
            let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
            format!("dropped {}", names.join(","))
        }
    };
    Answer::Done(text, json!({ "dropped": ids }))
}

fn inject(Bytes(line): &Bytes, raw: bool, modem: &mut Modem, now: Instant) -> Answer {
    let injected = if raw {
        modem.inject_bytes(line, now)
    } else {
        modem.inject(line, now)
    };
    match injected {
        Ok(()) => Answer::Done(
            format!("{} bytes", line.len()),
            json!({ "bytes": line.len() }),
        ),
        Err(error) => Answer::Refused(error.to_string()),
    }
}

fn set_latency(change: &ProfileChange, modem: &mut Modem) -> Answer {
    let mut latency = modem.profile().latency.clone();
    match change.apply_to(&mut latency) {
        Ok(()) => {
            modem.set_latency(latency);
            Answer::done(change.to_string())
        }
        Err(error) => Answer::Refused(error.to_string()),
    }
}

/// How many errors, warnings and notes the linter has so far.
pub(super) fn findings(modem: &Modem) -> [u64; 3] {
    [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let counts = modem.lint().counts();
        let of_it = counts.filter(|(rule, _)| modem.lint().severity(*rule) == severity);
        of_it.map(|(_, count)| count).sum()
    })
}
