//! Single values of a profile, set from outside of its file.

use std::fmt;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ProfileChangeError;
use super::merge::EVIDENCE;

/// Another value for one key of a profile, written `limits.host=50`.
///
/// The key is dotted; an entry of an array has its number, from 0: `start.cells.0.area`. The value
/// is TOML, but that text needs no quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChange {
    pub(super) key: String,
    pub(super) value: String,
}

impl FromStr for ProfileChange {
    type Err = ProfileChangeError;

    fn from_str(text: &str) -> Result<Self, ProfileChangeError> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err(ProfileChangeError::NoValue),
        }
    }
}

impl fmt::Display for ProfileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// A wrong key is told which one may be meant if it is as like as this, 1 being the same.
const LIKE: f64 = 0.6;

impl ProfileChange {
    /// The dotted key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Replaces the value in a complete profile.
    pub(super) fn apply<'a>(&'a self, profile: &mut DeTable<'a>) -> Result<(), ProfileChangeError> {
        let within_evidence = self.key.split('.').next() == Some(EVIDENCE);
        let Some(place) = find(profile, &self.key).filter(|_| !within_evidence) else {
            return Err(ProfileChangeError::UnknownKey {
                key: self.key.clone(),
                like: self.like(profile),
            });
        };
        let given = DeValue::parse(&self.value).map(Spanned::into_inner);
        let text = || DeValue::String(self.value.as_str().into());
        *place = match (&*place, given) {
            (DeValue::String(_), Ok(given @ DeValue::String(_))) => given,
            // Text is text, even where it is all digits.
            (DeValue::String(_), _) => text(),
            // The reader of the profile will say what it should have been.
            (_, given) => given.unwrap_or_else(|_| text()),
        };
        // What was known of the old value is not known of this one.
        if let Some(evidence) = profile.get_mut(EVIDENCE)
            && let DeValue::Table(evidence) = evidence.get_mut()
        {
            evidence.remove(self.key.as_str());
        }
        Ok(())
    }

    /// The key that may be meant.
    fn like(&self, profile: &DeTable<'_>) -> Option<String> {
        let mut keys = Vec::new();
        for (key, value) in profile {
            if key.get_ref() != EVIDENCE {
                list(key.get_ref(), value.get_ref(), &mut keys);
            }
        }
        let likeness = |known: &str| {
            let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
            // The table is left out more often than the name is misspelt.
            let names = strsim::jaro_winkler(&last(known), &last(&self.key));
            strsim::jaro_winkler(known, &self.key).max(0.9 * names)
        };
        let like = keys.into_iter().map(|key| (likeness(&key), key));
        let like = like.max_by(|(one, _), (other, _)| one.total_cmp(other));
        like.filter(|(like, _)| *like >= LIKE).map(|(_, key)| key)
    }
}

/// The value at a dotted key.
fn find<'t, 'a>(table: &'t mut DeTable<'a>, key: &str) -> Option<&'t mut DeValue<'a>> {
    let mut names = key.split('.');
    let mut value = table.get_mut(names.next()?)?.get_mut();
    for name in names {
        value = match value {
            DeValue::Table(table) => table.get_mut(name)?.get_mut(),
            DeValue::Array(entries) => entries.get_mut(name.parse::<usize>().ok()?)?.get_mut(),
            _ => return None,
        };
    }
    Some(value)
}

/// Lists the dotted keys of the values in a profile.
fn list(key: &str, value: &DeValue<'_>, keys: &mut Vec<String>) {
    match value {
        DeValue::Table(table) => {
            for (inner, value) in table {
                list(&format!("{key}.{}", inner.get_ref()), value.get_ref(), keys);
            }
        }
        _ => keys.push(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::{Profile, Sim};

    fn with(changes: &[&str]) -> Result<Profile, ProfileChangeError> {
        let changes: Result<Vec<ProfileChange>, _> = changes.iter().map(|c| c.parse()).collect();
        Profile::parse_with("base = \"nt26\"\n", &changes?)
    }

    /// Secrets are not shown.
    fn same(one: &Profile, other: &Profile) -> bool {
        one.start == other.start && format!("{one:?}") == format!("{other:?}")
    }

    #[test]
    fn values_of_every_type_can_be_set() {
        let profile = with(&[
            "limits.host=50",
            "start.sim=absent",
            "banner = \"+READY\"",
            "identity.imei=123456789012345",
            "latency.boot_ms=[0, 1]",
            "latency.paced=true",
            "start.position=[10, 20.5]",
            "start.operator={ number = \"26201\", name = \"Test\" }",
            "start.operator.name=Another",
            "identity.information=[\"{model}\", \"a {b c}\"]",
            "start.cells.0.area=7",
        ])
        .unwrap();
        assert_eq!(profile.limits.host, 50);
        assert_eq!(profile.start.sim, Sim::Absent);
        assert_eq!(profile.banner, "+READY");
        assert_eq!(profile.identity.imei, "123456789012345");
        assert_eq!(profile.latency.boot.1, Duration::from_millis(1));
        assert!(profile.latency.paced);
        assert_eq!(profile.start.position, (10.0, 20.5));
        assert_eq!(profile.start.operator.number, "26201");
        assert_eq!(profile.start.operator.name, "Another");
        assert_eq!(profile.identity.information(), "NT26KCN\r\na {b c}");
        assert_eq!(profile.start.cells[0].area, 7);
        assert_eq!(profile.evidence.get("limits.host"), None);
        assert_eq!(profile.limits.topic, Profile::nt26().limits.topic);
    }

    #[test]
    fn every_key_of_a_profile_can_be_set_to_what_it_is() {
        let text = Profile::text("nt35e").unwrap();
        let (mut table, mut count) = (String::new(), 0);
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[') {
                table = format!("{}.", name.trim_end_matches(']'));
            } else if let Some((key, value)) = line.split_once(" = ")
                && !line.starts_with('#')
                && !table.starts_with(EVIDENCE)
                && !table.starts_with('[')
            {
                let key = format!("{table}{key}");
                let change = format!("{key}={value}").parse().unwrap();
                let mut expected = Profile::nt35e();
                expected.evidence.remove(&key);
                let changed = Profile::parse_with(text, &[change]);
                assert!(
                    changed.is_ok_and(|changed| same(&changed, &expected)),
                    "{key}"
                );
                count += 1;
            }
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn what_is_wrong_names_the_key() {
        for (change, expected) in [
            ("limits.host", "write KEY=VALUE"),
            ("=5", "write KEY=VALUE"),
            (
                "limits.hots=5",
                "no profile has a key limits.hots, but limits.host",
            ),
            ("host=5", "no profile has a key host, but limits.host"),
            (
                "start.simm=5",
                "no profile has a key start.simm, but start.sim",
            ),
            ("rssi=5", "no profile has a key rssi, but start.rssi"),
            ("zzz=5", "no profile has a key zzz"),
            ("evidence=5", "no profile has a key evidence"),
            (
                "start.cells.9.area=5",
                "no profile has a key start.cells.9.area, but start.cells",
            ),
            (
                "limits.host=many",
                "limits.host: invalid type: string \"many\", expected a number from 1 to 255",
            ),
            (
                "limits.host=0",
                "limits.host: invalid value: integer `0`, expected a number from 1 to 255",
            ),
            (
                "limits.host=",
                "limits.host: invalid type: string \"\", expected a number from 1 to 255",
            ),
            (
                "latency.paced=yes",
                "latency.paced: invalid type: string \"yes\", expected a boolean",
            ),
            (
                "start.sim=gone",
                "start.sim: unknown variant `gone`, expected one of `ready`, ",
            ),
            (
                "identity.imei=12",
                "identity.imei: \"12\" must be 15 digits",
            ),
            (
                "latency.query_ms=[2, 1]",
                "latency.query_ms: 2 to 1 is no range: it ends before it begins",
            ),
            (
                "latency.query_ms=5",
                "latency.query_ms: invalid type: integer `5`, expected two numbers of milliseconds, such as [5, 9]",
            ),
            (
                "latency.query_ms=[0.5, 1]",
                "latency.query_ms: invalid type: floating point `0.5`, expected a number from 0",
            ),
            (
                "start.operator.number=1",
                "start.operator.number: \"1\" must be 5 to 6 digits",
            ),
            ("start.pin=abc", "start.pin: it must be 4 to 8 digits"),
            ("start.puk=1234", "start.puk: it must be 8 digits"),
            (
                "identity.information=[\"{modle}\"]",
                "identity.information: {modle} stands for nothing, known are {manufacturer}, {model}",
            ),
            (
                "limits=5",
                "limits: invalid type: integer `5`, expected a table",
            ),
        ] {
            let error = with(&[change]).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{change}\n{error}");
        }
    }
}
