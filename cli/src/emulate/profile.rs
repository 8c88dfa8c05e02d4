use std::path::Path;

use atmq_emulator::{Profile, ProfileChange, ProfileChangeError};
use clap::builder::PossibleValuesParser;

use crate::failure::{Failure, FailureKind};
use crate::input::{SETTINGS_LIMIT, read_text, unreadable};
use crate::output::print_line;

/// Which module to be.
#[derive(Debug, clap::Args)]
pub(super) struct ProfileArguments {
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = default_profile(),
        value_parser = profile_or_file,
        help = format!("Module to emulate: {}, or a TOML file", known_profiles())
    )]
    profile: String,
    /// Change one value of the profile, such as start.sim=absent (repeatable; --print-profile shows
    /// the keys)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    changes: Vec<ProfileChange>,
    /// Answer immediately, without the latencies of the module
    #[arg(long)]
    instant: bool,
}

impl ProfileArguments {
    pub(super) fn read(&self) -> Result<Profile, Failure> {
        let name = &self.profile;
        let text = match Profile::text(name) {
            Some(text) => text,
            None => &read_text(Path::new(name), SETTINGS_LIMIT).map_err(|error| {
                unreadable(&format!("the profile {name}"), &error)
                    .hint(format!("give one of {}, or a file", known_profiles()))
            })?,
        };
        let profile = Profile::parse_with(text, &self.changes).map_err(|error| {
            let place = match &error {
                ProfileChangeError::Profile(_) => format!("{name}, "),
                _ => "--set: ".to_owned(),
            };
            Failure::new(FailureKind::Usage, format!("{place}{error}"))
                .hint("`atmq emulate --print-profile NAME` prints one that has every key")
        })?;
        Ok(if self.instant {
            profile.instant()
        } else {
            profile
        })
    }
}

/// The names of the built-in profiles, for an option that takes no other.
pub(crate) fn built_in() -> PossibleValuesParser {
    PossibleValuesParser::new(Profile::names())
}

/// Prints the built-in profiles: name, model, command set.
pub(super) fn list() -> Result<(), Failure> {
    for profile in Profile::names().filter_map(Profile::by_name) {
        let (name, model) = (&profile.name, &profile.identity.model);
        print_line(format!(
            "{name:<8}  {model:<16}  {}",
            profile.dialect.name()
        ))?;
    }
    Ok(())
}

/// The profile used when none is given.
pub(crate) fn default_profile() -> &'static str {
    Profile::names().next().expect("there are profiles")
}

/// The name of a profile, or a file: a word that is neither is a name that was mistyped.
fn profile_or_file(value: &str) -> Result<String, String> {
    let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word && !Profile::names().any(|name| name == value) && !Path::new(value).exists() {
        return Err(format!("give one of {}, or a file", known_profiles()));
    }
    Ok(value.to_owned())
}

fn known_profiles() -> String {
    Profile::names().collect::<Vec<_>>().join(", ")
}
