//! The program `atmq`: AT sessions, publish and subscribe through a cellular MQTT module, and an
//! emulator of the module.

mod at;
mod broker;
mod demo;
mod emulate;
mod failure;
mod output;
mod port;
mod publish;
mod subscribe;
mod visible;

use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use failure::{EXIT_CODES, Failure};

/// AT sessions, publish and subscribe through a cellular MQTT module, and an emulator of the
/// module.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Emulate(emulate::Arguments),
    At(at::Arguments),
    Pub(publish::Arguments),
    Sub(subscribe::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // ATMQ_LOG=debug shows what driver and emulator do; what the emulator loses is always shown.
    let filter = EnvFilter::builder().with_env_var("ATMQ_LOG");
    let lost = "atmq_emulator=warn".parse().expect("a target and a level");
    tracing_subscriber::fmt()
        .with_env_filter(filter.with_default_directive(lost).from_env_lossy())
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("atmq: {failure}");
            failure.exit_code()
        }
    }
}

/// One thread serves all: a serial port is never busy enough for more, and starts faster.
fn run(command: Command) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing but memory and a few descriptors");
    let result = runtime.block_on(async {
        match command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Emulate(arguments) => emulate::run(arguments).await,
            Command::At(arguments) => at::run(arguments).await,
            Command::Pub(arguments) => publish::run(arguments).await,
            Command::Sub(arguments) => subscribe::run(arguments).await,
        }
    });
    // A read of standard input cannot be ended; the program must not wait for it.
    runtime.shutdown_background();
    result
}
