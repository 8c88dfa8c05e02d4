//! `atmq shell`: a terminal that knows the module at the other end.

mod complete;
mod detect;
mod exchange;
mod history;
mod input;
mod perform;
mod reopen;
mod screen;
mod session;
mod slash;

use std::io::{IsTerminal as _, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use atmq_protocol::dialect::UNKNOWN;
use clap::builder::PossibleValuesParser;

use self::history::History;
use self::input::Input;
use self::screen::{Screen, colors};
use self::session::Session;
use crate::dialect::{named, names};
use crate::failure::Failure;
use crate::messages::tell;
use crate::port::PortArguments;
use crate::terminal::Terminal;

/// Talk to a module interactively, with history, completion and explanations
///
/// Sends each line as typed and shows whatever the module sends, without disturbing the line being
/// typed. Tab completes commands, keys and values, and a hint below the line explains them. When a
/// command asks for data, type text with \r, \n, \t, \\ and \xNN, or @FILE; exactly the announced
/// number of bytes is sent. `/help` lists the commands of the shell itself. If stdin is not a
/// terminal, its lines are sent one after another.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    /// MQTT command set of the module; with `auto`, the module is asked if stdin is a terminal
    #[arg(
        long,
        value_name = "DIALECT",
        default_value = AUTO,
        value_parser = PossibleValuesParser::new([AUTO.to_owned()].into_iter().chain(names()))
    )]
    dialect: String,
    /// Neither read nor write the history
    #[arg(long)]
    no_history: bool,
}

/// Ask the module which commands it has.
const AUTO: &str = "auto";

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let named = named(&arguments.dialect);
    // Until it is known better.
    let model = named.clone().unwrap_or(UNKNOWN);
    // What cannot be had must not cost a mode of the terminal.
    let port = arguments.port.open().await?;
    let mqtt = Arc::new(AtomicBool::new(true));
    let terminal = (stdin().is_terminal() && stdout().is_terminal()).then(Terminal::quiet);
    let input = if terminal.is_some() {
        let opened = History::open(!arguments.no_history);
        let (history, past) = opened.unwrap_or_else(|error| {
            tell(&format!(
                "atmq: cannot use the history: {error}; this session has none"
            ));
            (History::none(), Vec::new())
        });
        Input::editor(history, past, mqtt.clone(), colors())?
    } else {
        Input::plain()
    };
    let screen = Screen::new(terminal.is_some());
    let mut session = Session::new(arguments.port, port, input, screen, mqtt, model);
    let ended = session.run(named.is_none()).await;
    drop(terminal);
    ended
}
