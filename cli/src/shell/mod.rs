//! `atmq shell`: a terminal that knows the module at the other end.

mod complete;
mod detect;
mod exchange;
mod history;
mod input;
mod perform;
mod screen;
mod session;
mod slash;

use std::io::{IsTerminal as _, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use self::history::History;
use self::input::Input;
use self::screen::{Screen, colors};
use self::session::Session;
use crate::failure::Failure;
use crate::messages::tell;
use crate::port::PortArguments;
use crate::terminal::Terminal;

/// Talk to a module: history, completion, explanations, and URCs that never break a line
///
/// A line is sent as it is; what comes back is shown as it comes. Tab completes commands, keys and
/// values, and what is being typed is explained below it. Where a command asks for data, text with
/// \r, \n, \t, \\, \xNN or @FILE is taken, and exactly as many bytes as were announced are sent.
/// `/help` lists the shell's own commands. Where standard input is no terminal, its lines are sent
/// one after another.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    /// The module's MQTT commands; `auto` asks the module
    #[arg(long, value_name = "DIALECT", default_value = "auto")]
    dialect: Choice,
    /// Keep no history, and read none
    #[arg(long)]
    no_history: bool,
}

/// Which MQTT commands are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Choice {
    /// Ask the module, if a person types
    Auto,
    /// AT+LMQTT…, without asking
    Lmqtt,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // What cannot be had must not cost a mode of the terminal.
    let port = arguments.port.open().await?;
    let mqtt = Arc::new(AtomicBool::new(true));
    let terminal = (stdin().is_terminal() && stdout().is_terminal()).then(Terminal::quiet);
    let input = if terminal.is_some() {
        let opened = History::open(!arguments.no_history);
        let (history, past) = opened.unwrap_or_else(|error| {
            tell(&format!(
                "atmq: cannot keep the history: {error}; this shell goes without"
            ));
            (History::none(), Vec::new())
        });
        Input::editor(history, past, mqtt.clone(), colors())?
    } else {
        Input::plain()
    };
    let screen = Screen::new(terminal.is_some());
    let mut session = Session::new(arguments.port, port, input, screen, mqtt);
    let ended = session.run(arguments.dialect == Choice::Auto).await;
    drop(terminal);
    ended
}
