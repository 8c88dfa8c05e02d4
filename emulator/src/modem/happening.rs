//! What is done to the module and to its surroundings, and which faults come true: what explains a
//! capture and does not pass on the line.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::time::{SystemTime, UNIX_EPOCH};

use atmq_protocol::mqtt::ConnectionId;
use atmq_protocol::redact::redacted;
use atmq_protocol::standard::{Registration, SignalQuality, SimStatus};

use super::{Cell, Effect, Fault, Modem, Operator};

/// Happenings that wait to be taken. Ours: more than one input brings about. Who takes none misses
/// the oldest.
const WAITING: usize = 256;

/// Something that was done to the module or to its surroundings, or that went wrong on demand:
/// [`Modem::poll_happening`]. As text it holds no secret, no control character of the host's and
/// no line end.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// A fault waits for its moment from now on.
    FaultArmed(Fault),
    /// A fault has come true.
    FaultFired(Fault),
    /// So many faults are forgotten.
    FaultsForgotten(usize),
    /// The module is made to send this line.
    Injected(Vec<u8>),
    /// The module is made to send so many bytes, which may be half a secret.
    InjectedBytes(usize),
    /// A connection has lost its link.
    LinkLost(ConnectionId),
    /// The module starts anew: the reset line, a command, a fault, or its power.
    Started,
    /// The module has its power from now on, or no longer.
    Power(bool),
    /// The module is put to sleep or woken, not by the host and not by itself.
    Asleep(bool),
    /// What the module sends to brokers is lost from now on, or no longer.
    Muted(bool),
    /// So much of what the module sends to brokers is lost from now on, in percent.
    Loss(u8),
    /// The module takes another time from now on; as a profile has it, what differs.
    Latency(String),
    /// The SIM is another one, or is taken out.
    Sim(SimStatus),
    /// The network says this of the module.
    Registration(Registration),
    /// The cause by which the network denies a registration.
    Rejection(u8),
    /// Signal strength and bit error rate.
    Signal(SignalQuality),
    /// Who runs the network.
    Operator(Operator),
    /// The serving cell.
    Cell(Option<Cell>),
    /// Longitude and latitude, in degrees.
    Position(f64, f64),
    /// The network tells its time, and its zone in quarters of an hour east of UTC.
    Time(SystemTime, i8),
}

impl Happening {
    /// A word for what kind it is, which stays the same from version to version.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::FaultArmed(_) => "fault armed",
            Self::FaultFired(_) => "fault",
            Self::FaultsForgotten(_) => "faults forgotten",
            Self::Injected(_) | Self::InjectedBytes(_) => "injected",
            Self::LinkLost(_) => "link lost",
            Self::Started => "start",
            Self::Power(_) => "power",
            Self::Asleep(_) => "asleep",
            Self::Muted(_) => "muted",
            Self::Loss(_) => "loss",
            Self::Latency(_) => "latency",
            Self::Sim(_) => "sim",
            Self::Registration(_) => "registration",
            Self::Rejection(_) => "rejection",
            Self::Signal(_) => "signal",
            Self::Operator(_) => "operator",
            Self::Cell(_) => "cell",
            Self::Position(..) => "position",
            Self::Time(..) => "time",
        }
    }
}

/// What has happened, to be read behind its [`kind`](Happening::kind).
impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = |on: &bool, [yes, no]: [&'static str; 2]| if *on { yes } else { no };
        match self {
            Self::FaultArmed(fault) => match (fault.every.get(), fault.times) {
                (1, Some(NonZeroU32::MIN)) => write!(f, "the next {}", Told(fault)),
                (every, times) => {
                    Told(fault).fmt(f)?;
                    if every > 1 {
                        write!(f, ", one in {every}")?;
                    }
                    match times {
                        Some(times) => write!(f, ", {times} times"),
                        None => f.write_str(", without end"),
                    }
                }
            },
            Self::FaultFired(fault) => Told(fault).fmt(f),
            Self::FaultsForgotten(count) => count.fmt(f),
            Self::Injected(line) => f.write_str(&shown(line)),
            Self::InjectedBytes(length) => write!(f, "{length} bytes"),
            Self::LinkLost(ConnectionId(connection)) => write!(f, "connection {connection}"),
            Self::Started => f.write_str("the module starts anew"),
            Self::Power(on) => f.write_str(switch(on, ["on", "off"])),
            Self::Asleep(yes) | Self::Muted(yes) => f.write_str(switch(yes, ["yes", "no"])),
            Self::Loss(percent) => write!(f, "{percent} %"),
            Self::Latency(changed) => f.write_str(changed),
            Self::Sim(status) => status.fmt(f),
            Self::Registration(registration) => match registration {
                Registration::NotRegistered => f.write_str("none"),
                Registration::Home => f.write_str("home"),
                Registration::Searching => f.write_str("searching"),
                Registration::Denied => f.write_str("denied"),
                Registration::Roaming => f.write_str("roaming"),
                other => write!(f, "number {}", other.number()),
            },
            Self::Rejection(cause) => write!(f, "cause {cause}"),
            Self::Signal(signal) => signal.fmt(f),
            Self::Operator(Operator { number, name }) => {
                write!(f, "{number} {}", shown(name.as_bytes()))
            }
            Self::Cell(None) => f.write_str("none"),
            Self::Cell(Some(cell)) => write!(f, "area {}, identity {}", cell.area, cell.id),
            Self::Position(longitude, latitude) => write!(f, "{longitude} {latitude}"),
            Self::Time(time, zone) => {
                let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                write!(f, "{} s since 1970, zone {zone:+}", since_epoch.as_secs())
            }
        }
    }
}

/// What a fault does to what it is on.
struct Told<'f>(&'f Fault);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { on, effect, .. } = self.0;
        match effect {
            Effect::UrcLost => write!(f, "URC {}", shown(on.as_bytes()))?,
            _ if on.is_empty() => f.write_str("command")?,
            _ => f.write_str(&shown(&[b"AT", on.as_bytes()].concat()))?,
        }
        match effect {
            Effect::Answer {
                lines,
                result,
                urcs,
            } => {
                f.write_str(" is not executed, but answered:")?;
                for line in lines {
                    write!(f, " {},", shown(line.as_bytes()))?;
                }
                write!(f, " {result}")?;
                for (after, urc) in urcs {
                    let after = after.as_millis();
                    write!(f, ", after {after} ms {}", shown(urc.as_bytes()))?;
                }
                Ok(())
            }
            Effect::Outcome(urc) => {
                let urc = shown(urc.as_bytes());
                write!(f, " is not executed, but answered: OK, {urc}")
            }
            Effect::Late(by) => write!(f, " is executed {} ms later", by.as_millis()),
            Effect::Silent | Effect::UrcLost => f.write_str(" is lost"),
            Effect::ResultLost => f.write_str(" loses its final result code"),
            Effect::Garbage(bytes) => {
                write!(f, " is answered behind {} bytes of noise", bytes.len())
            }
            Effect::Reboot => f.write_str(" is not executed: the module starts anew"),
        }
    }
}

/// Bytes as text on one line, without secrets.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(&redacted(bytes)).chars() {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    text
}

/// Happenings that have not been taken yet.
#[derive(Debug, Default)]
pub(super) struct Happenings(VecDeque<Happening>);

impl Modem {
    /// What has happened to the module and around it, one after another. Of more than 256 that
    /// nobody has taken the oldest are missing.
    pub fn poll_happening(&mut self) -> Option<Happening> {
        self.happenings.0.pop_front()
    }

    pub(super) fn happened(&mut self, happening: Happening) {
        let waiting = &mut self.happenings.0;
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back(happening);
    }

    /// A fault comes true: what goes wrong.
    pub(super) fn fire(&mut self, fault: Fault) -> Effect {
        let effect = fault.effect.clone();
        self.happened(Happening::FaultFired(fault));
        effect
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use atmq_protocol::at::result_code::FinalResult;

    use super::*;
    use crate::profile::Profile;

    fn modem() -> (Modem, Instant) {
        let now = Instant::now();
        let profile = Profile::nt35e().instant();
        (Modem::new(profile, 0, now, SystemTime::now()), now)
    }

    fn told(modem: &mut Modem) -> Vec<String> {
        std::iter::from_fn(|| modem.poll_happening())
            .map(|happening| format!("{}: {happening}", happening.kind()))
            .collect()
    }

    #[test]
    fn what_is_done_to_the_world_is_told_in_its_order() {
        let (mut modem, now) = modem();
        modem.set_signal(SignalQuality { rssi: 12, ber: 99 });
        modem.set_registration(Registration::Denied, now);
        modem.set_rejection(15);
        modem.set_sim(None, now);
        modem.set_asleep(true, now);
        modem.inject(b"+CSQ:\x07 1", now).unwrap();
        modem.inject(b"AT+CPIN=1234", now).unwrap();
        modem.inject_bytes(b"secret", now).unwrap();
        modem.power_off(now);
        modem.power_on(now);
        modem.reset(now);
        assert_eq!(
            told(&mut modem),
            [
                "signal: 12,99",
                "registration: denied",
                "rejection: cause 15",
                "sim: NOT INSERTED",
                "asleep: yes",
                "injected: +CSQ:\\u{7} 1",
                "injected: AT+CPIN=***",
                "injected: 6 bytes",
                "power: off",
                "power: on",
                "start: the module starts anew",
                "start: the module starts anew",
            ]
        );
    }

    #[test]
    fn faults_are_told_when_they_are_armed_and_when_they_come_true() {
        let (mut modem, now) = modem();
        let answer = Effect::Answer {
            lines: vec!["+CSQ: 1,2".into()],
            result: FinalResult::Ok,
            urcs: vec![(Duration::from_millis(5), "+X: 1".into())],
        };
        for (on, effect) in [
            ("+CSQ", answer),
            ("", Effect::Silent),
            ("+CPIN=1234", Effect::Late(Duration::from_millis(20))),
            ("+CREG", Effect::UrcLost),
        ] {
            modem.add_fault(Fault::new(on, effect)).unwrap();
        }
        modem.receive(b"AT+CSQ\r", now);
        modem.receive(b"AT+CREG=1\r", now);
        modem.receive(b"AT+CREG=1\r", now);
        modem.set_registration(Registration::Searching, now);
        modem.clear_faults();
        assert_eq!(
            told(&mut modem),
            [
                "fault armed: the next AT+CSQ is not executed, but answered: +CSQ: 1,2, OK, \
                 after 5 ms +X: 1",
                "fault armed: the next command is lost",
                "fault armed: the next AT+CPIN=*** is executed 20 ms later",
                "fault armed: the next URC +CREG is lost",
                "fault: AT+CSQ is not executed, but answered: +CSQ: 1,2, OK, after 5 ms +X: 1",
                "fault: command is lost",
                "registration: searching",
                "fault: URC +CREG is lost",
                "faults forgotten: 1",
            ]
        );
    }

    #[test]
    fn who_takes_no_happenings_keeps_no_more_than_256() {
        let (mut modem, _) = modem();
        for rssi in 0..300_u16 {
            let rssi = (rssi % 32) as u8;
            modem.set_signal(SignalQuality { rssi, ber: 0 });
        }
        let told = told(&mut modem);
        assert_eq!(told.len(), WAITING);
        assert_eq!(told[WAITING - 1], "signal: 11,0");
    }
}
