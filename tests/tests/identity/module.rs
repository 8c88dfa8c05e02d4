//! A module that is asked in one of the states in which a host can meet it.

use atmq_emulator::Profile;
use atmq_tests::bench::Bench;
use atmq_tests::transcript::WorldStep;

/// What brings a module into a state.
pub(crate) type Enter = fn(&mut Bench);

/// What a host can meet.
const STATES: [(&str, Enter); 18] = [
    ("registered at home", |_| {}),
    ("roaming", |bench| bench.world(&WorldStep::Registration(5))),
    ("searching", |bench| {
        bench.world(&WorldStep::Registration(2));
    }),
    ("denied", |bench| bench.world(&WorldStep::Registration(3))),
    ("emergency calls alone", |bench| {
        bench.world(&WorldStep::Registration(8));
    }),
    ("not registered", |bench| {
        bench.world(&WorldStep::Registration(0));
    }),
    ("no SIM", |bench| bench.world(&WorldStep::NoSim)),
    ("SIM locked", lock),
    ("SIM unlocked", |bench| {
        lock(bench);
        bench.ask("AT+CPIN=\"1234\"");
    }),
    ("SIM waiting for its PUK", |bench| {
        lock(bench);
        for _ in 0..3 {
            bench.ask("AT+CPIN=\"0000\"");
        }
    }),
    ("SIM blocked", |bench| {
        lock(bench);
        for _ in 0..3 {
            bench.ask("AT+CPIN=\"0000\"");
        }
        for _ in 0..10 {
            bench.ask("AT+CPIN=\"00000000\",\"4321\"");
        }
    }),
    ("radio off", |bench| _ = bench.ask("AT+CFUN=4")),
    ("minimum functionality", |bench| _ = bench.ask("AT+CFUN=0")),
    ("deregistered", |bench| _ = bench.ask("AT+COPS=2")),
    ("detached", |bench| _ = bench.ask("AT+CGATT=0")),
    ("no signal", |bench| bench.world(&WorldStep::Signal(99))),
    ("started anew", |bench| {
        bench.ask("AT+CFUN=1,1");
        bench.ask("ATE0+CMEE=1");
    }),
    ("contexts changed", |bench| {
        _ = bench.ask("AT+CGDCONT=2,\"IP\",\"a\";+CGDCONT=3,\"IP\",\"b\";+CGACT=1,2;+CGDCONT=1");
    }),
];

fn lock(bench: &mut Bench) {
    let (pin, puk) = ("1234".to_owned(), "12345678".to_owned());
    bench.world(&WorldStep::LockedSim { pin, puk });
}

/// A module that has been asked.
pub(crate) struct Module {
    pub(crate) bench: Bench,
    /// Profile and state, for messages.
    pub(crate) state: String,
    profile: Profile,
}

impl Module {
    pub(crate) fn new(profile: &str, state: &str, enter: Enter) -> Self {
        let model = Profile::by_name(profile).expect("it is built in");
        let model = model.instant();
        let mut bench = Bench::new(model.clone(), 0);
        bench.ask("ATE0+CMEE=1");
        enter(&mut bench);
        Self {
            bench,
            state: format!("{profile}, {state}"),
            profile: model,
        }
    }

    /// Whether the module has a command, which may be its maker's own.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.profile.commands().any(|spec| spec.name == name)
    }

    /// Whether `ATI` answers with more than the model.
    pub(crate) fn tells_more(&self) -> bool {
        !self.profile.identity.information.is_empty()
    }

    /// The lines of the answer, or the error, such as `+CME ERROR: 10`.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Vec<String>, String> {
        let heard = self.bench.ask(&format!("AT{command}"));
        let lines = heard.split("\r\n").filter(|line| !line.is_empty());
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        match lines.pop() {
            Some(result) if result == "OK" => Ok(lines),
            Some(result) => Err(result),
            None => panic!("{}: no answer to {command}", self.state),
        }
    }

    /// The lines of an answer, without what stands before their values.
    pub(crate) fn all(&mut self, command: &str) -> Vec<String> {
        let lines = self.ask(command);
        let lines = lines.unwrap_or_else(|error| panic!("{}: {command}: {error}", self.state));
        let values = |line: String| {
            line.split_once(": ")
                .map_or(line.clone(), |(_, rest)| rest.into())
        };
        lines.into_iter().map(values).collect()
    }

    /// The only line, likewise.
    pub(crate) fn one(&mut self, command: &str) -> String {
        let mut lines = self.all(command);
        assert_eq!(lines.len(), 1, "{}: {command}: {lines:?}", self.state);
        lines.remove(0)
    }

    /// The values of the only line, without quotes.
    pub(crate) fn fields(&mut self, command: &str) -> Vec<String> {
        split(&self.one(command))
    }

    pub(crate) fn numbers(&mut self, command: &str) -> Vec<u32> {
        let fields = self.fields(command);
        let numbers = fields.iter().map(|field| field.parse());
        numbers
            .collect::<Result<_, _>>()
            .unwrap_or_else(|_| panic!("{command}: {fields:?}"))
    }

    /// What the card answers: its status word, and the bytes.
    pub(crate) fn card(&mut self, command: &str) -> (String, Vec<u8>) {
        let fields = self.fields(&format!("+CRSM={command}"));
        let digits = fields.get(2).cloned().unwrap_or_default();
        let bytes = (0..digits.len()).step_by(2);
        let bytes =
            bytes.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal"));
        (fields[..2].join(","), bytes.collect())
    }
}

pub(crate) fn split(line: &str) -> Vec<String> {
    line.split(',')
        .map(|field| field.trim_matches('"').to_owned())
        .collect()
}

/// The digits that a card holds with those of each byte in reverse.
pub(crate) fn digits(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte & 0x0f, byte >> 4]);
    halves.map(|half| format!("{half:X}")).collect()
}

/// Does this in each state of each module.
pub(crate) fn everywhere(check: impl Fn(&mut Module)) {
    for profile in Profile::names() {
        for (state, enter) in STATES {
            check(&mut Module::new(profile, state, enter));
        }
    }
}
