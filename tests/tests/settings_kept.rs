//! What is left of a setting when the module starts anew is what the tables of commands say.

use std::time::Instant;

use atmq_emulator::Profile;
use atmq_emulator::modem::{Modem, Sim};
use atmq_protocol::commands;
use atmq_protocol::dialect::{Dialect, Lmqtt, Sm};
use atmq_protocol::spec::{Kind, Lasting, Spec};
use atmq_tests::bench::Bench;
use atmq_tests::transcript::WorldStep;

/// The commands of the dialects whose tables say it.
fn dialects() -> impl Iterator<Item = &'static Spec> {
    let dialects: [&dyn Dialect; 2] = [&Lmqtt::DEFAULT, &Sm::DEFAULT];
    dialects.into_iter().flat_map(Dialect::specs)
}

/// Every command that sets something, and how long that lasts.
fn settings() -> impl Iterator<Item = (&'static Spec, Lasting)> {
    let specs = commands::all().chain(dialects());
    specs.filter_map(|spec| Some((spec, spec.kept?.how)))
}

/// The host types a line. It ends with a line feed too, for modules that want one.
fn ask(bench: &mut Bench, line: &str) -> String {
    bench.ask(&format!("{line}\r\n"))
}

/// How a setting is changed, and how it is seen.
struct Probe {
    set: Vec<String>,
    ask: String,
    /// What begins the line that shows it; it is compared up to so many characters.
    shown: String,
    compared: usize,
    /// The module that has the command.
    profile: &'static str,
    /// What must be so at first.
    prepare: fn(&mut Modem, Instant),
}

impl Probe {
    fn new(set: &[&str], ask: &str, shown: &str) -> Self {
        Self {
            set: set.iter().map(|line| (*line).to_owned()).collect(),
            ask: ask.to_owned(),
            shown: shown.to_owned(),
            compared: usize::MAX,
            profile: "nt35e",
            prepare: |_, _| {},
        }
    }

    fn module(&self) -> Bench {
        let profile = Profile::by_name(self.profile).expect("it is in the crate");
        let mut bench = Bench::new(profile.instant(), 0);
        bench.change(self.prepare);
        bench
    }

    /// The setting as the module shows it: all lines that do.
    fn see(&self, bench: &mut Bench) -> Vec<String> {
        let heard = ask(bench, &self.ask);
        let lines = heard.split(char::is_control);
        let lines = lines.filter(|line| line.starts_with(&self.shown));
        lines
            .map(|line| line.chars().take(self.compared).collect())
            .collect()
    }

    fn change(&self, bench: &mut Bench) {
        // A line feed behind a command would be the first byte of the data that it asks for.
        for line in &self.set {
            bench.ask(line);
        }
    }
}

/// How to change what the table shows and lists; none if it can be nothing else.
fn of_table(spec: &Spec) -> Option<Probe> {
    let name = spec.name;
    let (ask, shown) = if name.starts_with('+') {
        (format!("AT{name}?"), format!("{name}: "))
    } else {
        ("AT&V".to_owned(), format!("{name}: "))
    };
    let mut probe = Probe::new(&[], &ask, &shown);
    let [line] = &probe.see(&mut probe.module())[..] else {
        panic!("{ask} does not show {name}");
    };
    let now = line[shown.len()..].split(',').next().unwrap_or_default();
    let others: Vec<String> = match spec.parameters[0].kind {
        // With any other line end this host would not be heard.
        Kind::Number(_) if name == "S3" => vec!["10".to_owned()],
        Kind::Number(ranges) => ranges
            .iter()
            .flat_map(|(low, high)| [low.to_string(), high.to_string()])
            .collect(),
        Kind::Words(words) => words.iter().map(|word| format!("\"{word}\"")).collect(),
        _ => vec!["\"other\"".to_owned()],
    };
    let other = others.iter().find(|other| *other != now)?;
    let sign = match name.as_bytes() {
        [b'+' | b'S', ..] => "=",
        _ => "",
    };
    probe.set = vec![format!("AT{name}{sign}{other}")];
    Some(probe)
}

/// How to change what only the command itself knows.
fn of_command(spec: &Spec) -> Probe {
    let name = spec.name;
    let own = |set: &[&str], ask: &str| Probe::new(set, ask, &format!("{name}: "));
    match name {
        "+CPIN" => Probe {
            prepare: |modem, now| modem.set_sim(Some(Sim::locked("1234", "12345678")), now),
            ..own(&["AT+CPIN=\"1234\""], "AT+CPIN?")
        },
        "+COPS" => own(&["AT+COPS=2"], "AT+COPS?"),
        "+CFUN" => own(&["AT+CFUN=4"], "AT+CFUN?"),
        "+CGATT" => own(&["AT+CGATT=0"], "AT+CGATT?"),
        "+CGDCONT" => own(&["AT+CGDCONT=1,\"IP\",\"apn\""], "AT+CGDCONT?"),
        "+CGACT" => own(&["AT+CGDCONT=2,\"IP\";+CGACT=1,2"], "AT+CGACT?"),
        // The day: the time of day goes on.
        "+CCLK" => Probe {
            compared: "+CCLK: \"yy/MM/dd".len(),
            ..own(&["AT+CCLK=\"27/02/28,12:00:00+32\""], "AT+CCLK?")
        },
        "+CSSLCFG" => Probe {
            profile: "a7670",
            ..own(&["AT+CSSLCFG=\"authmode\",0,1"], "AT+CSSLCFG?")
        },
        "+CNACT" => Probe {
            profile: "sim7080",
            ..own(&["AT+CNACT=0,1"], "AT+CNACT?")
        },
        "+CNCFG" => Probe {
            profile: "sim7080",
            ..own(&["AT+CNCFG=0,1,\"apn\""], "AT+CNCFG?")
        },
        "+SMCONF" => Probe {
            profile: "sim7080",
            ..Probe::new(&["AT+SMCONF=\"KEEPTIME\",77"], "AT+SMCONF?", "KEEPTIME: ")
        },
        "+SMPUBHEX" => Probe {
            profile: "sim7080",
            ..own(&["AT+SMPUBHEX=1"], "AT+SMPUBHEX?")
        },
        "+SMSSL" => Probe {
            profile: "sim7080",
            ..own(&["AT+SMSSL=1,\"ca\",\"\""], "AT+SMSSL?")
        },
        "+SMALIAUTH" | "+SMALIDYNA" => Probe {
            profile: "sim7080",
            ..Probe::new(
                &[&format!("AT{name}=\"k\",\"n\",\"s\"")],
                &format!("AT{name}?"),
                "Product Key: ",
            )
        },
        "+SMRCVSLPTM" => Probe {
            profile: "sim7080",
            ..own(&["AT+SMRCVSLPTM=1,77"], "AT+SMRCVSLPTM?")
        },
        "+LHTTPCFG" => own(
            &["AT+LHTTPCFG=\"requestheader\",1"],
            "AT+LHTTPCFG=\"requestheader\"",
        ),
        "+LHTTPURL" => own(&["AT+LHTTPURL=8", "http://h"], "AT+LHTTPURL?"),
        "+LMQTTCFG" => own(
            &["AT+LMQTTCFG=\"keepalive\",0,77"],
            "AT+LMQTTCFG=\"keepalive\",0",
        ),
        "+LSSLCFG" => own(
            &["AT+LSSLCFG=\"seclevel\",0,1"],
            "AT+LSSLCFG=\"seclevel\",0",
        ),
        // Sixteen fill the module, which then asks for no other.
        "+LFUPL" => {
            let files = (0..16).flat_map(|file| [format!("AT+LFUPL=\"{file}\",1"), "x".to_owned()]);
            Probe {
                set: files.collect(),
                ..Probe::new(&[], "AT+LFUPL=\"other\",1,1", "CONNECT")
            }
        }
        _ => panic!("how is {name} changed?"),
    }
}

/// What a module does that has been set up: what `AT&W` stores, what else the host types, and how
/// it starts anew.
struct Course {
    does: &'static [&'static str],
    restart: Option<Restart>,
    /// Whether a setting of the profile is then as the host has set it.
    in_profile: bool,
}

#[derive(Debug, Clone, Copy)]
enum Restart {
    /// Without power for a while.
    Power,
    /// The reset line.
    Reset,
    /// `AT+CFUN=1,1`
    Command,
}

const RESTARTS: [Restart; 3] = [Restart::Power, Restart::Reset, Restart::Command];

fn courses() -> impl Iterator<Item = Course> {
    let course = |does, restart, in_profile| Course {
        does,
        restart,
        in_profile,
    };
    let typed = [
        course(&["ATZ"], None, false),
        course(&["AT&F"], None, false),
        course(&["AT&W", "AT&F"], None, false),
        course(&["AT&W", "AT&F", "ATZ"], None, true),
    ];
    let restarted = RESTARTS.into_iter().flat_map(move |restart| {
        [
            course(&[], Some(restart), false),
            course(&["AT&W"], Some(restart), true),
            course(&["AT&W", "AT&F"], Some(restart), true),
        ]
    });
    typed.into_iter().chain(restarted)
}

fn restart(bench: &mut Bench, how: Restart) {
    match how {
        Restart::Power => {
            bench.change(Modem::power_off);
            bench.world(&WorldStep::PowerOn);
        }
        Restart::Reset => bench.change(Modem::reset),
        Restart::Command => {
            ask(bench, "AT+CFUN=1,1");
        }
    }
    // It starts, and registers.
    ask(bench, "");
}

#[test]
fn a_setting_lasts_as_long_as_the_tables_say() {
    let mut alone = Vec::new();
    for (spec, how) in settings() {
        let name = spec.name;
        let probe = if spec.keeps {
            let Some(probe) = of_table(spec) else {
                alone.push(name);
                continue;
            };
            probe
        } else {
            of_command(spec)
        };
        let factory = probe.see(&mut probe.module());
        for Course {
            does,
            restart: start,
            in_profile,
        } in courses()
        {
            let mut bench = probe.module();
            probe.change(&mut bench);
            let set = probe.see(&mut bench);
            assert_ne!(set, factory, "AT{name} sets nothing");
            for line in does {
                ask(&mut bench, line);
            }
            if let Some(how) = start {
                restart(&mut bench, how);
            }
            let stays = match how {
                Lasting::Profile => in_profile,
                Lasting::Start => start.is_none(),
                Lasting::Always => true,
            };
            let expected = if stays { &set } else { &factory };
            assert_eq!(
                &probe.see(&mut bench),
                expected,
                "AT{name}, which lasts {how:?}, after {does:?} and {start:?}"
            );
        }
    }
    // What can be set to one value alone.
    assert_eq!(alone, ["+FCLASS", "+WS46"]);
}

/// What the tables say of a setting is of use only where they say it of every one.
#[test]
fn every_command_that_shows_what_it_has_set_says_how_long_that_lasts() {
    // These show what the module does, what is stored, or what they always show.
    let others = [
        "+LMQTTOPEN",
        "+LMQTTCONN",
        "+LMQTTREAD",
        "+QIACT",
        "+CSMS",
        "+CPMS",
        "+CSCA",
    ];
    let specs = commands::all().chain(dialects());
    let silent = specs.filter(|spec| spec.read && spec.set && spec.kept.is_none());
    let silent: Vec<_> = silent.map(|spec| spec.name).collect();
    let unknown: Vec<_> = silent
        .iter()
        .filter(|name| !others.contains(name))
        .collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}
