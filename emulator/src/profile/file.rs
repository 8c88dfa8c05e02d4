//! What stands in the TOML file of a profile, and how it becomes a [`Profile`].

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use atmq_protocol::dialect::{HexLength, Lmqtt, PublishExtendedUrc, UnsubscribeUrc};
use atmq_protocol::framing::DataEnd;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::SignMethod;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected, Visitor};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::message;
use super::merge::lay_over;
use super::{
    Evidence, Identity, Latency, Profile, ProfileChange, ProfileChangeError, ProfileError, Start,
};
use crate::modem::is_standard;
use crate::quirks::{CacheOverflow, Quirks, ResultOrder};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    name: String,
    banner: String,
    identity: Identity,
    limits: LimitsTable,
    latency: LatencyTable,
    quirks: QuirksTable,
    start: Start,
    evidence: BTreeMap<String, Evidence>,
}

/// The bounds are those of the emulator: its buffers for input hold 16 KiB of payload, even in
/// hexadecimal digits, its table of formats holds six connections, a host name has at most 255
/// bytes and an MQTT string 65535.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LimitsTable {
    #[serde(deserialize_with = "between::<1, 6, _, _>")]
    connections: u8,
    #[serde(deserialize_with = "between::<64, 16384, _, _>")]
    command_line: usize,
    #[serde(deserialize_with = "between::<1, 255, _, _>")]
    host: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    client_id: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    username: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    password: usize,
    #[serde(deserialize_with = "between::<1, 65535, _, _>")]
    topic: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    will_payload: usize,
    #[serde(deserialize_with = "between::<0, 16384, _, _>")]
    inline_payload: usize,
    #[serde(deserialize_with = "between::<0, 16384, _, _>")]
    prompt_payload: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    keep_alive_s: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LatencyTable {
    query_ms: Milliseconds,
    command_ms: Milliseconds,
    result_ms: Milliseconds,
    commands_ms: BTreeMap<CommandName, Milliseconds>,
    boot_ms: Milliseconds,
    registration_ms: Milliseconds,
    radio_ms: Milliseconds,
    attach_ms: Milliseconds,
    scan_ms: Milliseconds,
    wake_ms: Milliseconds,
    paced: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct QuirksTable {
    result_urcs: bool,
    #[serde(with = "UnsubscribeName")]
    unsubscribe_urc: UnsubscribeUrc,
    #[serde(with = "PublishExtendedName")]
    publish_extended_urc: PublishExtendedUrc,
    #[serde(with = "HexLengthName")]
    hex_length: HexLength,
    #[serde(with = "HexLengthName")]
    publish_hex_length: HexLength,
    pdp_context: bool,
    tls_commands: bool,
    #[serde(deserialize_with = "between::<1, 3600, _, _>")]
    data_timeout_s: u64,
    plain_errors: bool,
    strict_message_ids: bool,
    #[serde(deserialize_with = "between::<1, 64, _, _>")]
    cache_slots: usize,
    cache_overflow: CacheOverflow,
    keeps_configuration: bool,
    disconnect_frees: bool,
    reconnects: bool,
    #[serde(with = "PromptEndName")]
    prompt_end: DataEnd,
    result_order: ResultOrder,
    #[serde(with = "SignMethodName")]
    sign_method: SignMethod,
    keeps_sessions: bool,
    #[serde(deserialize_with = "between::<0, 86400, _, _>")]
    sleep_after_s: u64,
    waking_loses_bytes: bool,
    sim_urc: bool,
    autobaud: bool,
}

/// As it stands on the wire.
#[derive(Deserialize)]
#[serde(remote = "UnsubscribeUrc")]
enum UnsubscribeName {
    #[serde(rename = "+LMQTTSUBUNSUB")]
    SubUnsub,
    #[serde(rename = "+LMQTTUNSUNSUB")]
    UnsUnsub,
}

/// As it stands on the wire.
#[derive(Deserialize)]
#[serde(remote = "PublishExtendedUrc")]
enum PublishExtendedName {
    #[serde(rename = "+LMQTTPUBEX")]
    PubEx,
    #[serde(rename = "+LMQTTPUB")]
    Pub,
}

#[derive(Deserialize)]
#[serde(remote = "HexLength", rename_all = "kebab-case")]
enum HexLengthName {
    Payload,
    Digits,
}

#[derive(Deserialize)]
#[serde(remote = "DataEnd", rename_all = "kebab-case")]
enum PromptEndName {
    Length,
    ControlCharacters,
}

/// As Alibaba Cloud calls them.
#[derive(Deserialize)]
#[serde(remote = "SignMethod", rename_all = "lowercase")]
enum SignMethodName {
    HmacMd5,
    HmacSha1,
    HmacSha256,
}

/// The name of a command, as it is typed behind `AT`: an extended one with its sign, or a basic one.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct CommandName(String);

impl TryFrom<String> for CommandName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = Lmqtt::DEFAULT
            .commands()
            .any(|known| known.eq_ignore_ascii_case(&name))
            || is_standard(&name);
        if !known {
            return Err(format!(
                "the module has no command `{name}`: write its name as `+CSQ`"
            ));
        }
        Ok(Self(name.to_ascii_uppercase()))
    }
}

/// From and to, at most ten minutes.
#[derive(Deserialize)]
#[serde(try_from = "[u64; 2]")]
struct Milliseconds(u64, u64);

impl TryFrom<[u64; 2]> for Milliseconds {
    type Error = String;

    fn try_from([from, to]: [u64; 2]) -> Result<Self, String> {
        const MAX: u64 = 600_000;
        if from > to {
            return Err(format!(
                "{from} to {to} is no range: it ends before it begins"
            ));
        }
        if to > MAX {
            return Err(format!("{to} ms is more than {MAX} ms"));
        }
        Ok(Self(from, to))
    }
}

impl From<Milliseconds> for (Duration, Duration) {
    fn from(Milliseconds(from, to): Milliseconds) -> Self {
        (Duration::from_millis(from), Duration::from_millis(to))
    }
}

pub(super) fn parse(text: &str) -> Result<Profile, ProfileError> {
    let table = read(text)?;
    let file = File::deserialize(toml::Deserializer::from(table));
    Ok(file
        .map_err(|error| ProfileError::found(text, &error))?
        .into())
}

pub(super) fn parse_with(
    text: &str,
    changes: &[ProfileChange],
) -> Result<Profile, ProfileChangeError> {
    let mut profile = parse(text)?;
    let mut table = read(text)?;
    for change in changes {
        change.apply(table.get_mut())?;
        // One at a time, so that what is wrong is known to be this one.
        let file = File::deserialize(toml::Deserializer::from(table.clone()));
        let file = file.map_err(|error| ProfileChangeError::WrongValue {
            key: change.key().to_owned(),
            message: message(&error),
        })?;
        profile = file.into();
    }
    Ok(profile)
}

/// All that the file says, laid over its base.
fn read(text: &str) -> Result<Spanned<DeTable<'_>>, ProfileError> {
    let found = |error| ProfileError::found(text, &error);
    let mut table = DeTable::parse(text).map_err(found)?;
    if let Some(base) = table.get_mut().remove("base") {
        let below = base_text(&base).map_err(|message| {
            let at = base.span().start;
            ProfileError::at(text, at, message)
        })?;
        let span = table.span();
        let mut below = read_base(below);
        lay_over(&mut below, table.into_inner());
        table = Spanned::new(span, below);
    }
    Ok(table)
}

fn base_text(base: &Spanned<DeValue<'_>>) -> Result<&'static str, String> {
    let names = Profile::names().collect::<Vec<_>>().join("` or `");
    let DeValue::String(name) = base.get_ref() else {
        return Err(format!("base must be `{names}`"));
    };
    Profile::text(name)
        .ok_or_else(|| format!("there is no profile `{name}`, base must be `{names}`"))
}

/// A base of this crate, which may have a base itself.
fn read_base(text: &'static str) -> DeTable<'static> {
    let table = DeTable::parse(text).expect("the profiles in this crate can be read");
    let mut table = table.into_inner();
    let Some(base) = table.remove("base") else {
        return table;
    };
    let text = base_text(&base).expect("the bases in this crate are in this crate");
    let mut below = read_base(text);
    lay_over(&mut below, table);
    below
}

impl From<File> for Profile {
    fn from(file: File) -> Self {
        let quirks = file.quirks;
        Self {
            name: file.name,
            identity: file.identity,
            limits: Limits {
                prompt_end: quirks.prompt_end,
                ..file.limits.into()
            },
            dialect: Lmqtt {
                unsubscribe_urc: quirks.unsubscribe_urc,
                publish_extended_urc: quirks.publish_extended_urc,
                hex_length: quirks.hex_length,
                publish_hex_length: quirks.publish_hex_length,
                pdp_context: quirks.pdp_context,
                tls_commands: quirks.tls_commands,
            },
            latency: Latency {
                query: file.latency.query_ms.into(),
                command: file.latency.command_ms.into(),
                result: file.latency.result_ms.into(),
                commands: file
                    .latency
                    .commands_ms
                    .into_iter()
                    .map(|(CommandName(name), range)| (name, range.into()))
                    .collect(),
                boot: file.latency.boot_ms.into(),
                registration: file.latency.registration_ms.into(),
                radio: file.latency.radio_ms.into(),
                attach: file.latency.attach_ms.into(),
                scan: file.latency.scan_ms.into(),
                wake: file.latency.wake_ms.into(),
                paced: file.latency.paced,
            },
            banner: file.banner,
            data_timeout: Duration::from_secs(quirks.data_timeout_s),
            result_urcs: quirks.result_urcs,
            quirks: Quirks {
                plain_errors: quirks.plain_errors,
                strict_message_ids: quirks.strict_message_ids,
                cache_slots: quirks.cache_slots,
                cache_overflow: quirks.cache_overflow,
                keeps_configuration: quirks.keeps_configuration,
                disconnect_frees: quirks.disconnect_frees,
                reconnects: quirks.reconnects,
                result_order: quirks.result_order,
                sign_method: quirks.sign_method,
                keeps_sessions: quirks.keeps_sessions,
                sleep_after: Some(quirks.sleep_after_s)
                    .filter(|seconds| *seconds > 0)
                    .map(Duration::from_secs),
                waking_loses_bytes: quirks.waking_loses_bytes,
                sim_urc: quirks.sim_urc,
                autobaud: quirks.autobaud,
            },
            start: file.start,
            evidence: file.evidence,
        }
    }
}

impl From<LimitsTable> for Limits {
    fn from(limits: LimitsTable) -> Self {
        Self {
            connections: limits.connections,
            command_line: limits.command_line,
            host: limits.host,
            client_id: limits.client_id,
            username: limits.username,
            password: limits.password,
            topic: limits.topic,
            will_payload: limits.will_payload,
            inline_payload: limits.inline_payload,
            prompt_payload: limits.prompt_payload,
            keep_alive: limits.keep_alive_s,
            // It stands among the quirks of a file.
            prompt_end: DataEnd::Length,
        }
    }
}

/// A number from `MIN` to `MAX`.
pub(super) fn between<'de, const MIN: i64, const MAX: i64, T, D>(
    deserializer: D,
) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    number(
        deserializer,
        |n| (MIN..=MAX).contains(&n),
        || format!("a number from {MIN} to {MAX}"),
    )
}

/// A number from 0 to `MAX`, or 99, by which 27.007 says that it is not known.
pub(super) fn up_to_or_99<'de, const MAX: i64, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<u8, D::Error> {
    number(
        deserializer,
        |n| (0..=MAX).contains(&n) || n == 99,
        || format!("a number from 0 to {MAX}, or 99 for not known"),
    )
}

fn number<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
    fits: impl Fn(i64) -> bool,
    expected: impl Fn() -> String,
) -> Result<T, D::Error> {
    let number = deserializer.deserialize_i64(Number(&expected))?;
    let value = T::try_from(number).ok().filter(|_| fits(number));
    value.ok_or_else(|| D::Error::invalid_value(Unexpected::Signed(number), &expected().as_str()))
}

/// Any integer; says what is expected where there is something else.
struct Number<F>(F);

impl<F: Fn() -> String> Visitor<'_> for Number<F> {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0())
    }

    fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }
}

/// A string of exactly `LENGTH` digits.
pub(super) fn digits<'de, const LENGTH: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text);
    }
    Err(D::Error::custom(format!(
        "\"{text}\" must be {LENGTH} digits"
    )))
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::modem::World;
    use crate::profile::Confidence;

    fn error(text: &str) -> String {
        Profile::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_profiles_in_the_crate_have_the_limits_of_the_protocol() {
        assert_eq!(Profile::nt35e().limits, Limits::NT35E);
        assert_eq!(Profile::nt26().limits, Limits::NT26);
        assert_eq!(Profile::nt35e().dialect, Lmqtt::DEFAULT);
        assert_eq!(Profile::nt26().identity.model, "NT26KCN");
        for name in Profile::names() {
            assert_eq!(Profile::by_name(name).unwrap().name, name);
        }
    }

    #[test]
    fn every_value_that_is_not_free_has_evidence() {
        let text = Profile::text("nt35e").unwrap();
        let table: toml::Table = text.parse().unwrap();
        let mut expected = vec!["banner".to_owned()];
        for name in ["latency", "limits", "quirks"] {
            let keys = table[name].as_table().unwrap().keys();
            expected.extend(keys.map(|key| format!("{name}.{key}")));
        }
        for name in Profile::names() {
            let profile = Profile::by_name(name).unwrap();
            assert!(profile.evidence.keys().eq(&expected), "{name}");
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
                ..Limits::NT26
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
                "base = \"ec200\"\n",
                "line 1, column 8: there is no profile `ec200`, base must be `nt35e` or `nt26`",
            ),
            (
                "base = 5\n",
                "line 1, column 8: base must be `nt35e` or `nt26`",
            ),
            (
                "base = \"nt35e\"\n[latency.commands_ms]\n\"+CSK\" = [1, 2]\n",
                "line 3, column 1: the module has no command `+CSK`: write its name as `+CSQ`",
            ),
            ("name = \"x\"\n", "line 1, column 1: missing field `banner`"),
            ("name = \n", "line 1, column 8: "),
            ("a = 1\na = 2\n", "line 2, column 1: duplicate key"),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text}\n{error}");
        }
    }
}
