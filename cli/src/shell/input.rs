//! Where lines are typed: at a terminal, with an editor, or not.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{BufRead as _, Read as _, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self as blocking, TrySendError};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use rustyline::completion::Completer;
use rustyline::config::{BellStyle, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{
    ColorMode, CompletionType, Context, Editor, ExternalPrinter as _, Helper, history::History as _,
};
use tokio::sync::{mpsc, oneshot};

use super::complete::{self, Candidate};
use super::history::History;
use crate::failure::{Failure, FailureKind};
use crate::terminal::columns;

/// The longest line from an input that is no terminal.
const LINE_LIMIT: u64 = 64 * 1024;

/// Lines that may wait for a terminal that takes nothing, stopped by Ctrl-S, say. Ours.
const WAITING: usize = 4096;

/// How long is waited until what was said is on the screen. It is there at once, unless it came
/// in the very moment in which a line was finished: then the editor shows it above the next one.
const SHOWN: Duration = Duration::from_millis(50);

/// Something a person has done.
#[derive(Debug)]
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C
    Interrupted,
    /// Ctrl-D, or the end of the input.
    End,
    /// Reading has failed.
    Failed(String),
}

/// What the editor is asked for.
enum Ask {
    Line { prompt: String, data: bool },
}

/// What is printed above the line that is being typed.
enum Say {
    Text(String),
    /// Tells when all before has been printed.
    Mark(oneshot::Sender<()>),
}

/// Lines from a person or a file.
pub(super) struct Input {
    typed: mpsc::Receiver<Typed>,
    /// The rest of a paste.
    pasted: VecDeque<String>,
    /// A line of it has been asked for as data.
    data_pasted: bool,
    editor: Option<Asked>,
}

struct Asked {
    ask: blocking::Sender<Ask>,
    say: blocking::SyncSender<Say>,
    /// Lines that were not shown, because the terminal took nothing.
    lost: Cell<u64>,
    /// The editor is at work.
    busy: bool,
}

impl Input {
    /// Lines as they are, from an input that is no terminal.
    pub(super) fn plain() -> Self {
        let (sender, typed) = mpsc::channel(1);
        thread::spawn(move || {
            let mut input = stdin().lock();
            loop {
                let mut line = Vec::new();
                let mut limited = input.by_ref().take(LINE_LIMIT);
                let typed = match limited.read_until(b'\n', &mut line) {
                    Ok(0) => Typed::End,
                    Ok(_) if !line.ends_with(b"\n") && line.len() as u64 == LINE_LIMIT => {
                        Typed::Failed(format!("a line is longer than {LINE_LIMIT} bytes"))
                    }
                    Ok(_) => match String::from_utf8(line) {
                        Ok(line) => Typed::Line(line.trim_end_matches(['\r', '\n']).to_owned()),
                        Err(_) => Typed::Failed("a line is no text; write bytes as \\xNN".into()),
                    },
                    Err(error) => Typed::Failed(error.to_string()),
                };
                let last = !matches!(typed, Typed::Line(_));
                if sender.blocking_send(typed).is_err() || last {
                    return;
                }
            }
        });
        Self {
            typed,
            pasted: VecDeque::new(),
            data_pasted: false,
            editor: None,
        }
    }

    /// Lines from an editor at the terminal.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn editor(
        history: History,
        past: Vec<String>,
        mqtt: Arc<AtomicBool>,
        colors: bool,
    ) -> Result<Self, Failure> {
        let unusable = |error: ReadlineError| {
            let what = format!("cannot use the terminal: {error}");
            Failure::new(FailureKind::Unavailable, what)
        };
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .bell_style(BellStyle::None)
            // Colours are the helper's, who knows --color and NO_COLOR.
            .color_mode(ColorMode::Forced)
            .history_ignore_space(true)
            .build();
        let mut editor: Editor<Typist, MemHistory> =
            Editor::with_history(config.clone(), MemHistory::with_config(&config))
                .map_err(unusable)?;
        for line in past {
            // Only a full memory could refuse.
            let _ = editor.history_mut().add_owned(line);
        }
        let data = Arc::new(AtomicBool::new(false));
        editor.set_helper(Some(Typist {
            mqtt,
            data: data.clone(),
            colors,
        }));
        let mut printer = editor.create_external_printer().map_err(unusable)?;
        let (say, said) = blocking::sync_channel(WAITING);
        thread::spawn(move || {
            for say in said {
                match say {
                    // Nothing can be done for a terminal that is gone.
                    Say::Text(text) => drop(printer.print(text)),
                    Say::Mark(done) => drop(done.send(())),
                }
            }
        });
        let (ask, asked) = blocking::channel();
        let (sender, typed) = mpsc::channel(1);
        thread::spawn(move || read_lines(editor, history, &asked, &sender, &data));
        let editor = Some(Asked {
            ask,
            say,
            lost: Cell::default(),
            busy: false,
        });
        let pasted = VecDeque::new();
        Ok(Self {
            typed,
            pasted,
            data_pasted: false,
            editor,
        })
    }

    /// Whether a person types.
    pub(super) fn is_terminal(&self) -> bool {
        self.editor.is_some()
    }

    /// Lets a line be typed, unless one is being typed already. `data`: it is data and no command.
    pub(super) async fn ask(&mut self, prompt: &str, data: bool) {
        if !self.pasted.is_empty() {
            if !std::mem::replace(&mut self.data_pasted, data) || !data {
                return;
            }
            // What was pasted as data does not fit; commands that follow are not data.
            self.forget_paste();
            self.say("· the rest of what was pasted is not taken for data\n".into());
        }
        self.data_pasted = false;
        let Some(editor) = self.editor.as_mut().filter(|editor| !editor.busy) else {
            return;
        };
        let (done, all) = oneshot::channel();
        if editor.say.try_send(Say::Mark(done)).is_ok() {
            let _ = tokio::time::timeout(SHOWN, all).await;
        }
        let prompt = prompt.to_owned();
        // If the editor has ended, its end has been told.
        editor.busy = editor.ask.send(Ask::Line { prompt, data }).is_ok();
    }

    /// What is typed next. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Typed {
        if let Some(line) = self.pasted.pop_front() {
            return Typed::Line(line);
        }
        let typed = self.typed.recv().await;
        if let Some(editor) = &mut self.editor {
            editor.busy = false;
        }
        let typed = typed.unwrap_or(Typed::End);
        // Pasted lines are handed out one at a time: a line may be data for the command before it.
        let Typed::Line(block) = typed else {
            return typed;
        };
        let mut lines = block.split('\n').map(str::to_owned);
        let first = lines.next().unwrap_or_default();
        self.pasted.extend(lines);
        Typed::Line(first)
    }

    /// Forgets the rest of a paste.
    pub(super) fn forget_paste(&mut self) {
        self.pasted.clear();
    }

    /// Prints lines, above the one that is being typed. `false` if there is no editor.
    pub(super) fn say(&self, text: String) -> bool {
        let Some(editor) = &self.editor else {
            return false;
        };
        let lost = editor.lost.take();
        let text = match lost {
            0 => text,
            lost => format!("· {lost} lines were not shown: the terminal took nothing\n{text}"),
        };
        match editor.say.try_send(Say::Text(text)) {
            Err(TrySendError::Full(_)) => editor.lost.set(lost + 1),
            // If the terminal is gone, the editor ends, and reports that.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
        }
        true
    }
}

fn read_lines(
    mut editor: Editor<Typist, MemHistory>,
    mut history: History,
    asked: &blocking::Receiver<Ask>,
    typed: &mpsc::Sender<Typed>,
    is_data: &AtomicBool,
) {
    for Ask::Line { prompt, data } in asked {
        is_data.store(data, Ordering::Relaxed);
        let line = match editor.readline(&prompt) {
            Ok(line) => {
                if !data && !line.trim().is_empty() {
                    let is_paste = line.contains('\n');
                    // Of a paste only commands: there may be data between them.
                    for line in line.lines().filter(|line| !is_paste || is_command(line)) {
                        // A history that cannot be written is no reason to stop the work.
                        let _ = editor.add_history_entry(line);
                        let _ = history.keep(line.trim_end());
                    }
                }
                Typed::Line(line)
            }
            Err(ReadlineError::Interrupted) => Typed::Interrupted,
            Err(ReadlineError::Eof) => Typed::End,
            Err(error) => Typed::Failed(error.to_string()),
        };
        if typed.blocking_send(line).is_err() {
            return;
        }
    }
}

fn is_command(line: &str) -> bool {
    let begins = |with: &str| {
        let start = line.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    begins("AT") || begins("/")
}

/// Helps who types: completes, explains, paints.
struct Typist {
    /// The module has the MQTT commands.
    mqtt: Arc<AtomicBool>,
    /// Data is typed, not a command.
    data: Arc<AtomicBool>,
    colors: bool,
}

const PROMPT: Style = AnsiColor::Cyan.on_default().bold();
const HINT: Style = Style::new().dimmed();

impl Typist {
    fn painted<'t>(&self, style: Style, text: &'t str) -> Cow<'t, str> {
        match self.colors {
            true => Cow::Owned(format!("{style}{text}{style:#}")),
            false => Cow::Borrowed(text),
        }
    }
}

impl Helper for Typist {}

impl Validator for Typist {}

impl Completer for Typist {
    type Candidate = Candidate;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Candidate>)> {
        let before = &line[..cursor];
        if self.data.load(Ordering::Relaxed) {
            return Ok((cursor, Vec::new()));
        }
        Ok(complete::complete(
            before,
            self.mqtt.load(Ordering::Relaxed),
        ))
    }
}

impl rustyline::completion::Candidate for Candidate {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.word
    }
}

impl Hinter for Typist {
    type Hint = Below;

    fn hint(&self, line: &str, cursor: usize, _: &Context<'_>) -> Option<Below> {
        if self.data.load(Ordering::Relaxed) {
            return None;
        }
        let hint = complete::hint(&line[..cursor])?;
        // On one line, however narrow the terminal is.
        let room = columns().saturating_sub(3);
        let cut: String = hint.chars().take(room).collect();
        let more = if cut.len() < hint.len() { "…" } else { "" };
        Some(Below(format!("\n  {cut}{more}")))
    }
}

/// A line below the one that is being typed.
struct Below(String);

impl Hint for Below {
    fn display(&self) -> &str {
        &self.0
    }

    /// It explains; there is nothing to be taken over.
    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Highlighter for Typist {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.painted(PROMPT, prompt)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        self.painted(HINT, hint)
    }
}
