//! What host stacks ask a module to know it, its SIM and its network: the answers agree with each
//! other, in whatever state the module is.

mod module;

use std::collections::BTreeMap;

use atmq_emulator::Profile;
use atmq_tests::transcript::WorldStep;

use module::{Module, digits, everywhere, split};

/// Two answers that must be the same.
macro_rules! agree {
    ($state:expr, $what:expr, $one:expr, $other:expr $(,)?) => {
        assert_eq!($one, $other, "{}: {}", $state, $what)
    };
}

#[test]
fn the_module_calls_itself_the_same_whatever_it_is_asked() {
    everywhere(|module| {
        let state = module.state.clone();
        for same in [
            &["+CGMI", "+GMI"][..],
            &["+CGMM", "+GMM", "I", "I0"],
            &["+CGMR", "+GMR", "+LGMR"],
            &["+CGSN", "+GSN", "+CGSN=1"],
        ] {
            let first = module.one(same[0]);
            let known = |other: &&&str| match **other {
                "I" | "I0" => !module.tells_more(),
                other => other.contains('=') || module.has(other),
            };
            let others: Vec<_> = same[1..].iter().filter(known).collect();
            for other in others {
                let given = module.one(other);
                agree!(state, other, given.trim_matches('"'), &first);
            }
        }
        // It takes commands, whatever it cannot do with them.
        agree!(state, "+CPAS", &*module.one("+CPAS"), "0");
    });
}

/// The error that every command about the SIM has while the SIM cannot be read.
fn refusal(module: &mut Module) -> Option<u32> {
    match module.ask("+CPIN?") {
        Ok(lines) if lines == ["+CPIN: READY"] => None,
        Ok(lines) if lines == ["+CPIN: SIM PIN"] => Some(11),
        Ok(lines) if lines == ["+CPIN: SIM PUK"] => Some(12),
        Ok(lines) => panic!("{}: {lines:?}", module.state),
        Err(error) => {
            let number = error.strip_prefix("+CME ERROR: ").map(str::parse);
            Some(number.expect("an error of the SIM").expect("a number"))
        }
    }
}

#[test]
fn what_the_sim_holds_is_the_same_by_every_command_or_refused_by_all() {
    everywhere(|module| {
        let state = module.state.clone();
        let layers = module.has("+ECSTATUS");
        let shown = layers.then(|| module.one("+ECSTATUS=CCM"));
        if let Some(number) = refusal(module) {
            let error = format!("+CME ERROR: {number}");
            for command in [
                "+CIMI",
                "+CNUM",
                "+CRSM=176,28423,0,0,9",
                "+CRSM=192,12258",
                "+CRSM=242",
            ] {
                agree!(
                    state,
                    command,
                    module.ask(command).err(),
                    Some(error.clone()),
                );
            }
            let of_messages = match number {
                10 => 310,
                11 => 311,
                12 => 316,
                _ => 313,
            };
            let error = format!("+CMS ERROR: {of_messages}");
            for command in [
                "+CPMS?",
                "+CPMS=\"SM\"",
                "+CSCA?",
                "+CMGL=4",
                "+CMGR=1",
                "+CMGD=1,4",
            ] {
                agree!(
                    state,
                    command,
                    module.ask(command).err(),
                    Some(error.clone()),
                );
            }
            if let Some(shown) = shown {
                assert!(shown.ends_with("IMSI:\"\""), "{}: {shown}", module.state);
            }
            // The number of the card is on it for everyone, but there must be one.
            if module.has("+LCCID") {
                agree!(
                    state,
                    "+LCCID",
                    module.ask("+LCCID").is_ok(),
                    matches!(number, 11 | 12),
                );
            }
            let without = module.numbers("+CEREG?")[1];
            agree!(state, "+CEREG? without a SIM", without, 0);
            return;
        }
        let imsi = module.one("+CIMI");
        if let Some(shown) = shown {
            let end = format!("IMSI:\"{imsi}\"");
            assert!(shown.ends_with(&end), "{}: {shown}", module.state);
        }
        let (done, bytes) = module.card("176,28423,0,0,9");
        agree!(
            state,
            "EF_IMSI",
            (&*done, bytes[0], &*digits(&bytes[1..])),
            ("144,0", 8, &*format!("9{imsi}")),
        );
        let (_, bytes) = module.card("176,12258,0,0,10");
        if module.has("+LCCID") {
            agree!(state, "EF_ICCID", digits(&bytes), module.one("+LCCID"));
        }
        // Each file is as long as it says, and a file is there for every command or for none.
        for file in [12032, 12258, 28423, 28589, 28480, 28486] {
            let (found, described) = module.card(&format!("192,{file}"));
            let kind = described.windows(2).position(|tag| tag == [0x82, 0x02]);
            let read = match kind {
                Some(_) => module.card(&format!("176,{file},0,0,0")),
                None => module.card(&format!("178,{file},1,4,0")),
            };
            agree!(state, "GET RESPONSE and READ", found.clone(), read.0);
            if found != "144,0" {
                agree!(state, "a file that is not there", &*found, "106,130");
                continue;
            }
            let size = described.windows(2).rposition(|tag| tag == [0x80, 0x02]);
            let size = &described[size.expect("the file's size") + 2..][..2];
            agree!(
                state,
                "the file's size",
                usize::from(u16::from_be_bytes([size[0], size[1]])),
                read.1.len(),
            );
        }
        let (_, status) = module.card("242");
        let enabled = status.windows(3).find(|object| object[..2] == [0x90, 0x01]);
        let enabled = enabled.expect("the state of the PIN")[2] == 0x80;
        agree!(
            state,
            "+CLCK and STATUS",
            module.one("+CLCK=\"SC\",2") == "1",
            enabled,
        );
        // At home the network is that of the SIM.
        let (_, data) = module.card("176,28589,0,0,4");
        let network = &imsi[..3 + usize::from(data[3])];
        module.ask("+COPS=3,2").expect("the format can be chosen");
        if module.numbers("+CEREG?")[1] == 1 {
            agree!(
                state,
                "+COPS? and +CIMI",
                &*module.fields("+COPS?")[2].clone(),
                network,
            );
        }
    });
}

#[test]
fn the_network_is_the_same_by_every_command() {
    everywhere(|module| {
        let state = module.state.clone();
        for command in ["+CREG=2", "+CGREG=2", "+CEREG=2"] {
            module.ask(command).expect("it can be chosen");
        }
        let full = module.one("+CFUN?") == "1";
        let seen = module.fields("+CEREG?");
        agree!(state, "+CREG?", module.fields("+CREG?"), seen.clone());
        agree!(state, "+CGREG?", module.fields("+CGREG?"), seen.clone());
        let registered = matches!(&*seen[1], "1" | "5");
        assert!(
            full || seen[1] == "0",
            "{}: registered without radio",
            module.state
        );
        agree!(state, "+CEREG? with a cell", seen.len() > 2, registered);
        agree!(state, "+CGATT?", module.one("+CGATT?") == "1", registered);
        agree!(
            state,
            "+COPS?",
            module.fields("+COPS?").len() > 1,
            registered,
        );
        if module.has("+LCELL") {
            cells_agree(module, &seen, registered);
        }
        // The search finds the operator in the state in which the module is.
        let found = module.ask("+COPS=?");
        agree!(state, "+COPS=?", found.is_ok(), full);
        if let Ok(found) = found {
            let stat = match &*seen[1] {
                "1" | "5" => "(2,",
                "3" => "(3,",
                _ => "(1,",
            };
            assert!(found[0].contains(stat), "{}: {found:?}", module.state);
        }
        // Packet data.
        let states = module.all("+CGACT?");
        let states: BTreeMap<_, _> = states
            .iter()
            .filter_map(|line| line.split_once(','))
            .collect();
        agree!(
            state,
            "+CGACT?, context 1",
            states.get("1").copied(),
            Some(if registered { "1" } else { "0" }),
        );
        let active: Vec<_> = states
            .iter()
            .filter(|(_, state)| **state == "1")
            .map(|(cid, _)| *cid)
            .collect();
        let addresses = module.all("+CGPADDR");
        let addresses: BTreeMap<_, _> = addresses
            .iter()
            .filter_map(|line| line.split_once(','))
            .collect();
        agree!(
            state,
            "+CGPADDR",
            addresses.keys().copied().collect::<Vec<_>>(),
            active.clone(),
        );
        agree!(
            state,
            "+CGPADDR=?",
            module.one("+CGPADDR=?"),
            format!("({})", active.join(",")),
        );
        let contexts: Vec<_> = module
            .all("+CGDCONT?")
            .iter()
            .map(|line| split(line))
            .collect();
        let defined: Vec<_> = contexts.iter().map(|context| &*context[0]).collect();
        agree!(
            state,
            "+CGDCONT?",
            defined,
            states.keys().copied().collect::<Vec<_>>(),
        );
        for context in &contexts {
            let address = addresses
                .get(&*context[0])
                .map_or("", |address| address.trim_matches('"'));
            agree!(state, "the address of +CGDCONT?", &*context[3], address);
        }
        // Indicators, signal, supply.
        let signal = module.numbers("+CSQ");
        let detailed = module.numbers("+CESQ");
        let heard = signal[0] != 99;
        assert!(full || !heard, "{}: a signal without radio", module.state);
        agree!(state, "+CESQ, rsrq", detailed[4] != 255, heard);
        agree!(state, "+CESQ, rsrp", detailed[5] != 255, heard);
        let supply = module.numbers("+CBC");
        let indicators = module.numbers("+CIND?");
        agree!(
            state,
            "+CBC and +CIND?",
            supply[1].div_ceil(20),
            indicators[0],
        );
        agree!(state, "+CSQ and +CIND?", heard, indicators[1] > 0);
        agree!(state, "+CIND?, service", indicators[2] == 1, registered);
        agree!(state, "+CIND?, roaming", indicators[3] == 1, seen[1] == "5",);
    });
}

/// What makers' own commands tell of layers and cells.
fn cells_agree(module: &mut Module, seen: &[String], registered: bool) {
    let state = module.state.clone();
    agree!(state, "+LBS=0", module.ask("+LBS=0").is_ok(), registered);
    let layer = module.one("+ECSTATUS=EMM");
    let is_on = layer.contains("EmmState:\"REG\"");
    agree!(state, "+ECSTATUS", is_on, registered);
    // The serving cell.
    let cells = module.all("+LCELL?");
    agree!(state, "+LCELL?", !cells.is_empty(), registered);
    let others = module.all("+ECBCINFO=1");
    agree!(state, "+ECBCINFO=1", !others.is_empty(), registered);
    if let Some(cell) = cells.first().map(|cell| split(cell)) {
        agree!(state, "area and cell", &cell[3..5], &seen[2..4]);
    }
}

#[test]
fn the_operator_is_the_same_in_every_format_and_character_set() {
    for profile in Profile::names() {
        let mut module = Module::new(profile, "registered", |_| {});
        let state = module.state.clone();
        let name = module.fields("+COPS?")[2].clone();
        module
            .ask("+COPS=3,2;+CSCS=\"UCS2\"")
            .expect("both can be chosen");
        let number = module.fields("+COPS?")[2].clone();
        module.ask("+COPS=3,0").expect("it can be chosen");
        let coded = module.fields("+COPS?")[2].clone();
        let units = (0..coded.len()).step_by(4);
        let units =
            units.map(|at| u16::from_str_radix(&coded[at..at + 4], 16).expect("hexadecimal"));
        let decoded = String::from_utf16(&units.collect::<Vec<_>>()).expect("text");
        agree!(state, "+CSCS", &decoded, &name);
        let listed = module.one("+COPS=?");
        assert!(
            listed.starts_with(&format!("(2,\"{coded}\",\"{coded}\",\"{number}\",7)")),
            "{listed}"
        );
        for chosen in [&coded, &number] {
            module
                .ask(&format!("+COPS=1,0,\"{chosen}\""))
                .expect("the operator is there");
        }
    }
}

#[test]
fn the_clock_is_that_of_the_reported_time_zone() {
    for profile in Profile::names() {
        let mut module = Module::new(profile, "registered", |_| {});
        let state = module.state.clone();
        // 2026-11-21 01:05:07 UTC
        let time = |zone| WorldStep::Time {
            seconds: 1_795_223_107,
            zone,
        };
        module.ask("+CTZR=1").expect("it can be chosen");
        module.bench.world(&time(-20));
        let report = String::from_utf8_lossy(&module.bench.take_heard()).into_owned();
        agree!(state, "+CTZV", &*report, "\r\n+CTZV: \"-20\"\r\n");
        agree!(
            state,
            "+CCLK?",
            &*module.one("+CCLK?"),
            "\"26/11/20,20:05:07-20\"",
        );
        module.ask("+CTZR=2;+CTZU=0").expect("it can be chosen");
        let before = module.one("+CCLK?");
        module.bench.world(&time(32));
        let report = String::from_utf8_lossy(&module.bench.take_heard()).into_owned();
        agree!(
            state,
            "+CTZE",
            &*report,
            "\r\n+CTZE: \"+32\",0,\"2026/11/21,01:05:07\"\r\n",
        );
        // The host has forbidden it.
        agree!(state, "+CTZU=0", &module.one("+CCLK?")[..10], &before[..10],);
    }
}

/// What stacks ask of modules of other makers: it is not listed, and it is not answered.
#[test]
fn what_the_list_of_commands_lacks_is_unknown() {
    everywhere(|module| {
        let state = module.state.clone();
        let listed = module.all("+CLAC");
        for command in [
            "+CLTS=1",
            "+CLTS?",
            "+CBATCHK=1",
            "+CCID",
            "+ICCID",
            "+QCCID",
            "+CICCID",
            "+CPINR",
            "+CEER",
            "+CGCONTRDP",
            "+CSIM=10,\"0020000100\"",
            "+CPBS?",
            "+CSPN?",
            "+CNMP?",
        ] {
            let name = command.split(['=', '?']).next().unwrap_or_default();
            assert!(!listed.contains(&format!("AT{name}")), "{name} is listed");
            agree!(
                state,
                command,
                module.ask(command).err(),
                Some("+CME ERROR: 100".to_owned()),
            );
        }
        for command in &listed {
            let unknown = module.ask(&format!("{}=?", &command[2..])).err();
            assert_ne!(unknown.as_deref(), Some("+CME ERROR: 100"), "{command}");
        }
    });
}
