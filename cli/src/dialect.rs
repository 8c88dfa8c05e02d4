//! Which command set is spoken, and what is said in it.
//!
//! The model of the module decides: what the user has named, else what the module says of itself.
//! Where nobody tells, the commands do.

use atmq_protocol::at::command::Command;
use atmq_protocol::at::framing::{DataEnd, Extent};
use atmq_protocol::at::parameter::{Parameter, Parameters};
use atmq_protocol::dialect::{
    ALL, Answer, Ask, Commanded, Dialect, EncodeError, Host, Model, Next, Plan, Power, Recognised,
    Said, StepEnd, UNKNOWN, any_model, by_name,
};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{Connect, ConnectionId, Intent, Operation};

/// The longest line that is read: a payload of a prompt, in hexadecimal digits, with its topic.
pub(crate) const LINE_LIMIT: usize = 20 * 1024;

/// The longest raw data behind a prompt or a `CONNECT`. Ours: many times what a module takes.
const DATA_LIMIT: usize = 1024 * 1024;

/// A module with the command set that users call so, in whatever letter case.
pub(crate) fn named(name: &str) -> Option<Model> {
    by_name(name).map(any_model)
}

/// What users call the command sets.
pub(crate) fn names() -> impl Iterator<Item = String> {
    ALL.into_iter()
        .map(|dialect| dialect.name().to_ascii_lowercase())
}

/// Reads a line as a report, without knowing earlier commands, and tells which command set it is
/// from.
pub(crate) fn report(line: &[u8]) -> Option<(&'static dyn Dialect, Recognised<'_>)> {
    let mut all = ALL.into_iter();
    all.find_map(|dialect| Some((dialect, dialect.report(line)?)))
}

/// What a line answers that begins with the name of a command, whichever of its forms was asked.
/// `values`: what stands behind the name.
pub(crate) fn answer(name: &str, line: &[u8], values: &[u8]) -> Option<Answer> {
    let mut all = ALL.into_iter();
    let dialect = all.find(|dialect| dialect.owns(name.as_bytes()))?;
    let place = Parameters::new(values).take(2).map(Parameter::bytes);
    let place = place.collect::<Vec<_>>().join(&b","[..]);
    let mut asked = [&b"?"[..], b"", b"="].into_iter();
    asked.find_map(|form| {
        let place = if form == b"=" { &place[..] } else { b"" };
        let asked = [b"AT", name.as_bytes(), form, place, b"\r"].concat();
        match dialect.host(&widest(dialect)).read(line, Some(&asked))? {
            Said::Answer(Answer::Other) | Said::Urc(_) | Said::Part => None,
            Said::Answer(answer) => Some(answer),
        }
    })
}

/// What a line says of a module's power.
pub(crate) fn power(line: &[u8]) -> Option<Power> {
    ALL.into_iter().find_map(|dialect| dialect.power(line))
}

/// The line of the first command for an operation, whatever the model of the module.
pub(crate) fn line_for(dialect: &dyn Dialect, operation: Operation) -> Option<String> {
    let mut host = dialect.host(&unlimited(&widest(dialect)));
    let line = host.perform(operation).ok()?.begin()?.line;
    Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned())
}

/// What the command is called that has the module send CONNECT, once its link is open.
pub(crate) fn connect_command(dialect: &dyn Dialect) -> Option<String> {
    let mut host = dialect.host(&widest(dialect));
    let connect = Connect::new(ConnectionId(0), "broker", 1883, "client");
    let mut plan = host.perform(Operation::Connect(Box::new(connect))).ok()?;
    let mut step = plan.begin()?;
    let done = StepEnd::Done {
        answers: &[],
        report: None,
    };
    loop {
        let intent = host.command(&step.line).map(|command| command.intent);
        if matches!(intent, Some(Intent::Connect { .. })) {
            return Some(String::from_utf8_lossy(step.name()).into_owned());
        }
        match plan.next(&done) {
            Next::Step(next) => step = next,
            Next::Done(_) => return None,
        }
    }
}

/// How much data there is at most behind a prompt, and what ends it; `None` if that is more than
/// is kept.
pub(crate) fn data_behind(ask: &Ask) -> Option<(usize, DataEnd)> {
    let length = ask.length.unwrap_or(DATA_LIMIT);
    (length <= DATA_LIMIT).then_some((length, ask.end))
}

/// The limits of the model that takes most.
fn widest(dialect: &dyn Dialect) -> Limits {
    let models = dialect.models().iter().map(|model| &model.limits);
    let widest = models.max_by_key(|limits| (limits.connections, limits.inline_payload));
    widest.unwrap_or(&UNKNOWN.limits).clone()
}

/// Wider than any module's, so that every command on the line can be read.
fn unlimited(limits: &Limits) -> Limits {
    Limits {
        connections: u8::MAX,
        command_line: LINE_LIMIT,
        host: LINE_LIMIT,
        client_id: LINE_LIMIT,
        username: LINE_LIMIT,
        password: LINE_LIMIT,
        topic: LINE_LIMIT,
        will_payload: LINE_LIMIT,
        inline_payload: LINE_LIMIT,
        prompt_payload: DATA_LIMIT,
        keep_alive: u16::MAX,
        ..limits.clone()
    }
}

/// Reads a conversation, and remembers of it what later lines depend on.
#[derive(Debug)]
pub(crate) struct Listener {
    dialect: &'static dyn Dialect,
    /// Reads what this module says, and gives it what it takes.
    host: Box<dyn Host>,
    /// Reads commands that this module may refuse.
    commands: Box<dyn Host>,
    /// Whether commands are read that no module takes.
    everything: bool,
}

impl Listener {
    /// For a conversation with a module of this model.
    pub(crate) fn new(model: Model) -> Self {
        Self::with(model, false)
    }

    /// For a conversation of others, of which nothing is known.
    pub(crate) fn of_others() -> Self {
        Self::with(UNKNOWN, true)
    }

    fn with(model: Model, everything: bool) -> Self {
        let Model {
            dialect, limits, ..
        } = model;
        let widest = widest(dialect);
        let (commands, host) = match everything {
            true => (unlimited(&widest), widest),
            false => (widest, limits),
        };
        Self {
            dialect,
            host: dialect.host(&host),
            commands: dialect.host(&commands),
            everything,
        }
    }

    /// What a command line does, with its `AT`.
    pub(crate) fn command(&mut self, line: &[u8]) -> Option<Commanded> {
        self.follow(line);
        self.commands.command(line)
    }

    /// A command of another command set shows that this one is spoken.
    pub(crate) fn follow(&mut self, line: &[u8]) {
        if !self.owns(line)
            && let Some(spoken) = ALL.into_iter().find(|other| owns(*other, line))
        {
            *self = Self::with(any_model(spoken), self.everything);
        }
    }

    /// Whether a command line, with its `AT`, begins with a command of the command set.
    pub(crate) fn owns(&self, line: &[u8]) -> bool {
        owns(self.dialect, line)
    }

    /// A command line was answered with `OK`.
    pub(crate) fn carried_out(&mut self, line: &[u8]) {
        for host in [&mut self.host, &mut self.commands] {
            // Nothing is fetched for anybody.
            let _caching = host.carried_out(line);
        }
    }

    /// How far the module's line that begins with these bytes reaches.
    pub(crate) fn extent(&self, line: &[u8]) -> Extent {
        self.host.extent(line)
    }

    /// What the module's line says; to be called once for each. `pending`: the command that waits
    /// for its final result code.
    pub(crate) fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said> {
        if self.host.power(line) == Some(Power::Started) {
            for host in [&mut self.host, &mut self.commands] {
                host.started();
            }
        }
        self.commands.read(line, pending);
        self.host.read(line, pending)
    }

    /// The commands for an operation.
    ///
    /// # Errors
    /// The module does not take it.
    pub(crate) fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        self.host.perform(operation)
    }
}

fn owns(dialect: &dyn Dialect, line: &[u8]) -> bool {
    let body = line.get(2..).unwrap_or_default();
    let (first, _) = Command::split_first(body, |_| true);
    dialect.owns(first.name)
}

#[cfg(test)]
mod tests {
    use atmq_protocol::mqtt::Urc;

    use super::*;

    #[test]
    fn each_command_set_is_known_by_its_name() {
        for (name, dialect) in names().zip(ALL) {
            assert_eq!(named(&name).unwrap().dialect.name(), dialect.name());
            assert!(connect_command(dialect).is_some(), "{name}");
        }
        assert!(named("nosuch").is_none());
    }

    #[test]
    fn commands_are_read_that_this_module_refuses() {
        let other_models: &[u8] = b"AT+LMQTTOPEN=4,\"h\",1883";
        let no_models: &[u8] = b"AT+LMQTTOPEN=5,\"h\",1883";
        let mut one_of_two = Listener::new(UNKNOWN);
        assert!(one_of_two.command(other_models).is_some());
        assert!(one_of_two.command(no_models).is_none());
        let mut between = Listener::of_others();
        assert!(between.command(no_models).is_some());
    }

    #[test]
    fn a_module_that_starts_anew_has_forgotten_what_it_was_told() {
        let payload =
            |listener: &mut Listener| match listener.read(b"+LMQTTURC: RECV,0,0,\"t\",1,a", None) {
                Some(Said::Urc(Urc::Received { payload, .. })) => payload,
                other => panic!("{other:?}"),
            };
        let mut listener = Listener::of_others();
        assert_eq!(payload(&mut listener), b"1,a");
        listener.carried_out(b"AT+LMQTTCFG=\"recv/mode\",0,0,1");
        assert_eq!(payload(&mut listener), b"a");
        listener.read(b"^boot.rom'v'!", None);
        assert_eq!(payload(&mut listener), b"1,a");
    }

    #[test]
    fn a_report_that_is_switched_off_is_not_awaited() {
        let mut listener = Listener::of_others();
        let publish = b"AT+LMQTTPUB=0,5,1,0,\"t\",1,\"x\"";
        let awaited = |listener: &mut Listener, line: &[u8]| {
            let commanded = listener.command(line).unwrap();
            commanded.report.is_some()
        };
        listener.carried_out(b"AT+LMQTTCFG=\"urc\",0,0");
        assert!(!awaited(&mut listener, publish));
        assert!(awaited(&mut listener, b"AT+LMQTTCLOSE=0"));
        assert!(awaited(&mut listener, b"AT+LMQTTPUB=1,5,1,0,\"t\",1,\"x\""));
        listener.carried_out(b"AT+LMQTTCFG=\"urc\",0,1");
        assert!(awaited(&mut listener, publish));
    }

    #[test]
    fn an_extended_publish_is_reported_by_either_name() {
        let mut listener = Listener::of_others();
        let command = b"AT+LMQTTPUBEX=0,5,1,0,\"t\",1";
        let report = listener.command(command).unwrap().report.unwrap();
        let mut is_met = |line: &[u8]| match listener.read(line, None) {
            Some(Said::Urc(urc)) => report.is_met_by(&urc),
            other => panic!("{other:?}"),
        };
        for (line, met) in [
            (&b"+LMQTTPUBEX: 0,5,0"[..], true),
            (b"+LMQTTPUB: 0,5,0", true),
            (b"+LMQTTPUB: 0,6,0", false),
        ] {
            assert_eq!(is_met(line), met, "{}", line.escape_ascii());
        }
    }
}
