use std::time::{Duration, Instant, SystemTime};

use atmq_protocol::dialect::{HexLength, Lmqtt};
use atmq_protocol::limits::Limits;

use super::*;
use crate::modem::World;
use crate::profile::Confidence;

fn error(text: &str) -> String {
    Profile::parse(text).unwrap_err().to_string()
}

#[test]
fn the_profiles_in_the_crate_have_the_limits_of_the_protocol() {
    assert_eq!(Profile::nt35e().limits, dialect::lmqtt::NT35E.limits);
    assert_eq!(Profile::nt26().limits, dialect::lmqtt::NT26.limits);
    for (name, model) in [
        ("a7670", dialect::cmqtt::A7670),
        ("sim7600", dialect::cmqtt::SIM7600),
        ("sim7672", dialect::cmqtt::SIM7672),
        ("sim7080", dialect::sm::SIM7080),
        ("sim7000", dialect::sm::SIM7000),
    ] {
        let profile = Profile::by_name(name).unwrap();
        assert_eq!(profile.limits, model.limits);
        let dialect = model.dialect.with(&[]);
        assert_eq!(format!("{:?}", profile.dialect), format!("{dialect:?}"));
        let known = dialect::of_model(&profile.identity.model).unwrap();
        assert_eq!(known.name, model.name);
    }
    let dialect = Lmqtt::DEFAULT;
    assert_eq!(
        format!("{:?}", Profile::nt35e().dialect),
        format!("{dialect:?}")
    );
    for model in dialect::Qmt::DEFAULT.models() {
        let Some(profile) = Profile::by_name(&model.name.to_lowercase()) else {
            continue;
        };
        assert_eq!(profile.limits, model.limits, "{}", model.name);
        let (profile, model) = (profile.dialect, model.dialect);
        assert_eq!(format!("{profile:?}"), format!("{model:?}"));
    }
    assert_eq!(Profile::nt26().identity.model, "NT26KCN");
    for name in Profile::names() {
        assert_eq!(Profile::by_name(name).unwrap().name, name);
    }
}

#[test]
fn every_value_that_is_not_free_has_evidence() {
    let text = Profile::text("nt35e").unwrap();
    let table: toml::Table = text.parse().unwrap();
    let base = Profile::nt35e().dialect;
    let switches = |dialect: &dyn Dialect| {
        let names = dialect.switches().iter();
        let names = names.map(|switch| format!("quirks.{}", switch.name));
        names.collect::<Vec<_>>()
    };
    let mut shared = vec!["banner".to_owned()];
    for name in ["latency", "limits", "quirks"] {
        let keys = table[name].as_table().unwrap().keys();
        shared.extend(keys.map(|key| format!("{name}.{key}")));
    }
    shared.retain(|key| !switches(&*base).contains(key));
    for name in Profile::names() {
        let profile = Profile::by_name(name).unwrap();
        let mut expected = [&shared[..], &switches(&*profile.dialect)].concat();
        expected.sort();
        let known: Vec<_> = profile.evidence.keys().cloned().collect();
        assert_eq!(known, expected, "{name}");
    }
}

#[test]
fn a_file_overrides_single_values_of_its_base() {
    let profile = Profile::parse(
        "base = \"nt26\"\n[limits]\nhost = 50\n[latency]\nboot_ms = [0, 1]\n[start]\nsim = \"absent\"\n",
    )
    .unwrap();
    assert_eq!(
        profile.limits,
        Limits {
            host: 50,
            ..dialect::lmqtt::NT26.limits
        }
    );
    assert_eq!(profile.latency.boot.1, Duration::from_millis(1));
    assert_eq!(profile.latency.query, Profile::nt26().latency.query);
    let world = World::new(&profile.start, Instant::now(), SystemTime::now());
    assert_eq!(world.sim(), None);
    assert_eq!(profile.name, "nt26");
}

#[test]
fn evidence_for_a_replaced_value_is_gone() {
    let profile = Profile::parse("base = \"nt35e\"\n[limits]\nhost = 50\n").unwrap();
    assert_eq!(profile.evidence.get("limits.host"), None);
    assert!(profile.evidence.contains_key("limits.topic"));
    let own = "base = \"nt35e\"\n[limits]\nhost = 50\n[evidence]\n\"limits.host\" = { confidence = \"measured\", source = \"me\" }\n";
    let evidence = &Profile::parse(own).unwrap().evidence["limits.host"];
    assert_eq!(evidence.confidence, Confidence::Measured);
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    for (text, expected) in [
        (
            "base = \"nt35e\"\n\n[limits]\n  hots = 5\n",
            "line 4, column 3: unknown field `hots`, expected one of `connections`, ",
        ),
        (
            "base = \"nt35e\"\nlimit = 5\n",
            "line 2, column 1: unknown field `limit`, expected one of `name`, ",
        ),
        (
            "base = \"nt35e\"\nlimits = 5\n",
            "line 2, column 10: invalid type: integer `5`, expected a table",
        ),
        (
            "base = \"nt35e\"\n[limits]\nhost = \"5\"\n",
            "line 3, column 8: invalid type: string \"5\", expected a number from 1 to 255",
        ),
        (
            "base = \"nt35e\"\n[limits]\nconnections = 7\n",
            "line 3, column 15: invalid value: integer `7`, expected a number from 1 to 6",
        ),
        (
            "base = \"nt35e\"\n[latency]\nquery_ms = [2, 1]\n",
            "line 3, column 12: 2 to 1 is no range: it ends before it begins",
        ),
        (
            "base = \"nt35e\"\n[identity]\nimei = \"12\"\n",
            "line 3, column 8: \"12\" must be 15 digits",
        ),
        (
            "base = \"nt35e\"\n[start]\nrssi = 32\n",
            "line 3, column 8: invalid value: integer `32`, expected a number from 0 to 31, or 99 for not known",
        ),
        (
            "base = \"nt35e\"\n[start]\nsim = \"gone\"\n",
            "line 3, column 7: unknown variant `gone`, expected one of `ready`, ",
        ),
        (
            "base = \"nt99\"\n",
            "line 1, column 8: there is no profile `nt99`, base must be `nt35e` or `nt26`",
        ),
        (
            "base = 5\n",
            "line 1, column 8: base must be `nt35e` or `nt26`",
        ),
        (
            "base = \"nt35e\"\n[latency.commands_ms]\n\"+CSK\" = [1, 2]\n",
            "line 3, column 1: the module has no command `+CSK`: write its name as `+CSQ`",
        ),
        (
            "base = \"nt35e\"\ndialect = \"tmq\"\n",
            "line 2, column 11: there is no dialect `tmq`, it must be `LMQTT`",
        ),
        (
            "base = \"nt35e\"\ndialect = 5\n",
            "line 2, column 11: dialect must be `LMQTT`",
        ),
        (
            "base = \"nt35e\"\nvendor_sets = [\"lhtp\"]\n",
            "line 2, column 15: there is no vendor set `lhtp`, known are `lierda`, `eigencomm`, `lhttp`",
        ),
        (
            "base = \"nt35e\"\nquirks = 5\n",
            "line 2, column 10: invalid type: integer `5`, expected a table",
        ),
        (
            "base = \"nt35e\"\n[quirks]\n hex_lenght = \"digits\"\n",
            "line 3, column 2: unknown field `hex_lenght`, expected one of `result_urcs`, ",
        ),
        (
            "base = \"nt35e\"\n[quirks]\nhex_length = \"bytes\"\n",
            "line 3, column 14: unknown variant `bytes`, expected `payload` or `digits`",
        ),
        (
            "base = \"nt35e\"\n[quirks]\ncache_slots = 65\n",
            "line 3, column 15: invalid value: integer `65`, expected a number from 1 to 64",
        ),
        (
            "base = \"nt35e\"\n[quirks]\nresult_urcs = 1\n",
            "line 3, column 15: invalid type: integer `1`, expected a boolean",
        ),
        ("name = \"x\"\n", "line 1, column 1: missing field `banner`"),
        ("name = \n", "line 1, column 8: "),
        ("a = 1\na = 2\n", "line 2, column 1: duplicate key"),
    ] {
        let error = error(text);
        assert!(error.starts_with(expected), "{text}\n{error}");
    }
}

#[test]
fn a_dialect_reads_its_switches_and_misses_them() {
    let profile = Profile::parse(
        "base = \"nt26\"\ndialect = \"lmqtt\"\n[quirks]\ncache_slots = 2\nhex_length = \"digits\"\n",
    );
    let expected = Lmqtt {
        cache_slots: 2,
        hex_length: HexLength::Digits,
        ..Lmqtt::DEFAULT
    };
    assert_eq!(
        format!("{:?}", profile.unwrap().dialect),
        format!("{expected:?}")
    );
    let without = |key: &str| {
        let lines = Profile::text("nt35e").unwrap().lines();
        let lines: Vec<_> = lines.filter(|line| !line.starts_with(key)).collect();
        Profile::parse(&lines.join("\n"))
    };
    assert!(without("dialect").is_ok());
    let (own, other) = (
        without("cache_slots").unwrap_err(),
        without("plain_errors").unwrap_err(),
    );
    assert_eq!(own.message, "missing field `cache_slots`");
    assert_eq!((own.line, own.column), (other.line, other.column));
}
