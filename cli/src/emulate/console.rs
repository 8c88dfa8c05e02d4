//! Words typed on the terminal, or read from standard input.

use std::io::{IsTerminal as _, stdin, stdout};
use std::thread;

use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use rustyline::completion::Completer;
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter as _, Helper};
use tokio::io::BufReader;
use tokio::sync::{mpsc, oneshot};

use super::answer::Answer;
use super::desk::Desk;
use super::socket::read_line;
use super::words::Line;
use crate::failure::{Failure, FailureKind};
use crate::messages;
use crate::output::{print_line, print_meanwhile, with_end};
use crate::terminal::{BACK, Terminal};

/// Whether somebody can type: the terminal is ours to read from and to write to.
pub(super) fn has_terminal() -> bool {
    stdin().is_terminal()
        && stdout().is_terminal()
        && tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

/// Does what is typed until there is no more, or this is dropped. The end of a file ends nothing
/// else; who presses Ctrl-D or Ctrl-C wants to leave. `json`: answers are JSON, and nothing else is
/// printed between them.
pub(super) async fn run(desk: Desk, json: bool) -> Result<(), Failure> {
    if has_terminal() && !json {
        return typed(desk).await;
    }
    let mut reader = BufReader::new(tokio::io::stdin());
    let mut told = false;
    // What cannot be read any more has ended.
    while let Ok(Some(line)) = read_line(&mut reader).await {
        let answer = match line {
            Some(line) => desk.line(&line, json).await,
            None => Some(Answer::Refused("a line is UTF-8, and not so long".into()).line(json)),
        };
        if let Some(answer) = answer
            && let Err(failure) = print_meanwhile(with_end(answer)).await
            && !told
        {
            // The module keeps running and still takes commands.
            told = true;
            if failure.kind() != FailureKind::NobodyReads {
                messages::tell(&format!("atmq: {failure}; answers are lost"));
            }
        }
    }
    std::future::pending().await
}

/// A line, and where its answer goes.
type Asked = (String, oneshot::Sender<String>);

async fn typed(desk: Desk) -> Result<(), Failure> {
    let _restored = Terminal::quiet();
    let (sender, mut lines) = mpsc::channel::<Asked>(1);
    let config = Config::builder()
        .auto_add_history(true)
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::None)
        .build();
    let failed = |error: ReadlineError| {
        Failure::new(
            FailureKind::Unavailable,
            format!("the console cannot use the terminal: {error}"),
        )
    };
    let mut editor = Editor::with_history(config, MemHistory::new()).map_err(failed)?;
    editor.set_helper(Some(Words));
    let mut printer = editor.create_external_printer().map_err(failed)?;
    // A thread of its own: to print waits for the editor, and the editor for an answer.
    let _told = messages::redirect(move |line| {
        let _ = printer.print(format!("{line}\n"));
    });
    thread::spawn(move || edit(&mut editor, &sender));
    loop {
        let asked = tokio::select! {
            asked = lines.recv() => asked,
            () = BACK.notified() => {
                messages::tell("· here again");
                continue;
            }
        };
        let Some((line, answered)) = asked else {
            break;
        };
        let answer = if line.trim() == "help" {
            help()
        } else {
            desk.line(&line, false).await.unwrap_or_default()
        };
        let _ = answered.send(answer);
    }
    desk.quit();
    std::future::pending().await
}

/// Reads lines and shows what comes of them, until somebody wants to leave.
fn edit(editor: &mut Editor<Words, MemHistory>, lines: &mpsc::Sender<Asked>) {
    while let Ok(typed) = editor.readline("atmq> ") {
        // A paste comes as one.
        for line in typed.lines() {
            let (answered, answer) = oneshot::channel();
            if lines.blocking_send((line.to_owned(), answered)).is_err() {
                return;
            }
            match answer.blocking_recv() {
                Ok(answer) if answer.is_empty() => {}
                Ok(answer) => {
                    // A terminal that is gone ends the editor.
                    let _ = print_line(answer);
                }
                Err(_) => return,
            }
        }
    }
}

/// Completes words.
struct Words;

impl Helper for Words {}

impl Highlighter for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Validator for Words {}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, mut words) = Line::complete(&line[..cursor]);
        if let [only] = &mut *words {
            only.push(' ');
        }
        Ok((start, words))
    }
}

/// A word a line.
fn help() -> String {
    let words = Line::help();
    let width = words.iter().map(|(usage, _)| usage.len()).max();
    let width = width.unwrap_or_default().min(40);
    let lines = words
        .iter()
        .map(|(usage, about)| format!("{usage:width$}  {about}"));
    lines.collect::<Vec<_>>().join("\n")
}
