//! The program `atmq`: AT sessions, publish and subscribe through a cellular MQTT module, and an
//! emulator of the module.

// Everything is printed by `output` and `messages` (`clippy.toml` says why).
#![deny(clippy::disallowed_macros)]

mod at;
mod broker;
mod capture;
mod cloud;
mod completions;
mod config;
mod control;
mod data;
mod demo;
mod dialect;
mod dialogue;
mod diff;
mod doctor;
mod duration;
mod emulate;
mod explain;
mod export;
mod failure;
mod format;
mod grammar;
mod help;
mod input;
mod lint;
mod manual;
mod messages;
mod monitor;
mod output;
mod pattern;
mod port;
mod ports;
mod publish;
mod replay;
mod secret;
mod shell;
mod signals;
mod subscribe;
mod summary;
mod terminal;
mod tls;
mod usage;
mod visible;

use std::ffi::OsString;
use std::io::{stderr, stdout};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use colorchoice_clap::Color;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::debug_fn;

use failure::{Failure, FailureKind};
use help::GLOBAL;
use visible::printable;

/// Work with cellular MQTT modules over AT commands, or emulate one
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, next_help_heading = GLOBAL)]
struct Arguments {
    #[command(flatten)]
    color: Color,
    /// Print only errors
    #[arg(long, global = true)]
    quiet: bool,
    /// Log driver and emulator activity to stderr; repeat for more detail
    #[arg(short = 'd', long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    debug: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Emulate(emulate::Arguments),
    Control(control::Arguments),
    Shell(shell::Arguments),
    At(at::Arguments),
    Explain(explain::Arguments),
    Pub(publish::Arguments),
    Sub(subscribe::Arguments),
    Doctor(doctor::Arguments),
    Ports(ports::Arguments),
    Config(config::Arguments),
    Completions(completions::Arguments),
    Man(manual::Arguments),
    Monitor(monitor::Arguments),
    Replay(replay::Arguments),
    Diff(diff::Arguments),
    Export(export::Arguments),
}

fn main() -> ExitCode {
    match read(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(None) => end(Ok(())),
        Ok(Some(arguments)) => {
            arguments.color.write_global();
            log(&arguments);
            end(run(arguments))
        }
        Err(failure) => end(Err(failure)),
    }
}

/// The one place where errors are told.
fn end(result: Result<(), Failure>) -> ExitCode {
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.kind() != FailureKind::NobodyReads {
                let style = match shows_styles() {
                    true => anstyle::AnsiColor::Red.on_default().bold(),
                    false => anstyle::Style::new(),
                };
                let failure_text = printable(failure.to_string());
                messages::tell_styled(&format!("{style}atmq:{style:#} {failure_text}"));
            }
            failure.exit_code()
        }
    };
    output::finish();
    messages::finish();
    code
}

/// Whether standard error shows styles.
fn shows_styles() -> bool {
    AutoStream::choice(&stderr()) != ColorChoice::Never
}

/// Reads the arguments; what they leave out a profile may say. `None`: help was asked for, and is
/// printed.
fn read(arguments: &[OsString]) -> Result<Option<Arguments>, Failure> {
    let mut command = config::preset(whole(), arguments)?;
    let read = command
        .try_get_matches_from_mut(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    match read {
        Ok(arguments) => Ok(Some(arguments)),
        Err(error) if error.use_stderr() => Err(usage::wrong(&command, arguments, &error)),
        Err(help) => {
            let text = help.render();
            let text = match AutoStream::choice(&stdout()) {
                ColorChoice::Never => text.to_string(),
                _ => text.ansi().to_string(),
            };
            output::print_styled(text.trim_end_matches('\n')).map(|()| None)
        }
    }
}

/// What driver and emulator lose, and why they wait, is always shown, unless nothing is to be.
fn log(arguments: &Arguments) {
    let default = match (arguments.quiet, arguments.debug) {
        (true, _) => "off",
        (_, 0) => "atmq_driver=warn,atmq_emulator=warn",
        (_, 1) => "atmq_driver=debug,atmq_emulator=debug",
        (_, 2..) => "atmq_driver=trace,atmq_emulator=trace",
    };
    let default = EnvFilter::new(default);
    let filter = EnvFilter::try_from_env("ATMQ_LOG").unwrap_or(default);
    let fields = debug_fn(|writer, field, value| messages::field(writer, field.name(), value));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| messages::Log)
        .fmt_fields(fields.delimited(" "))
        .with_ansi(shows_styles())
        .init();
}

/// One thread serves all: a serial port is never busy enough for more, and starts faster.
fn run(arguments: Arguments) -> Result<(), Failure> {
    let quiet = arguments.quiet;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing but memory and a few descriptors");
    let result = runtime.block_on(async {
        signals::outlive_file_size_limit();
        match arguments.command {
            Command::Demo(arguments) => demo::run(arguments, quiet).await,
            Command::Emulate(arguments) => emulate::run(arguments, quiet).await,
            Command::Control(arguments) => control::run(arguments).await,
            Command::Shell(arguments) => shell::run(arguments).await,
            Command::At(arguments) => at::run(arguments).await,
            Command::Explain(arguments) => explain::run(&arguments).await,
            Command::Pub(arguments) => publish::run(arguments, quiet).await,
            Command::Sub(arguments) => subscribe::run(arguments, quiet).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Ports(arguments) => ports::run(&arguments, quiet),
            Command::Config(arguments) => config::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments, whole()),
            Command::Man(arguments) => manual::run(&arguments, whole()),
            Command::Monitor(arguments) => monitor::run(arguments).await,
            Command::Replay(arguments) => replay::run(arguments).await,
            Command::Diff(arguments) => diff::run(&arguments),
            Command::Export(arguments) => export::run(&arguments),
        }
    });
    // A read of standard input cannot be ended; the program must not wait for it.
    runtime.shutdown_background();
    result
}

/// The whole command line, without a profile.
fn whole() -> clap::Command {
    help::complete(Arguments::command())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_in_order() {
        whole().debug_assert();
    }
}
