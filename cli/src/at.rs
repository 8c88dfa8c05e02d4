mod print;
mod script;
pub(crate) mod step;

use std::io::{IsTerminal as _, stdin};
use std::time::Duration;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::UNKNOWN;
use atmq_protocol::throttle::Throttle;
use regex::bytes::Regex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use self::print::Printer;
use self::script::{Action, Input, plan};
use self::step::{LIMIT, Step};
use crate::dialogue::{Dialogue, Heard, Line, is_success};
use crate::duration::seconds;
use crate::failure::{Failure, FailureKind};
use crate::input::{read_all, unreadable};
use crate::messages::tell;
use crate::pattern::pattern;
use crate::port::PortArguments;
use crate::visible::visible;

/// Send AT commands one after another, and print the answers
///
/// Waits for the final result code of each command, and for its result URC if it has one. If a
/// command is answered with the prompt `> ` or CONNECT, the next COMMAND is sent as its data. Stops
/// at the first command that the module refuses.
///
/// Without COMMAND, or with `-`, reads a script from stdin: one command per line; `> DATA` after a
/// command that asks for data, with the escapes \r, \n, \t, \\ and \xNN, or as @FILE;
/// `@expect REGEX`; `@wait SECONDS`; and comments that start with `#`. The whole script is checked
/// before the first command is sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// After the last command, wait for a line that matches
    #[arg(long, value_name = "REGEX", value_parser = pattern)]
    expect: Option<Regex>,
    /// Time limit of each command; by default, the one in the manual of the module
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Print one line of JSON for each line sent or received
    #[arg(long)]
    json: bool,
    /// Explain each line: below it, or in the JSON
    #[arg(long)]
    explain: bool,
    /// Continue after a command that is refused; the exit code is still 1
    #[arg(long)]
    keep_going: bool,
    /// A command, including its AT, or the data of the command before it
    #[arg(value_name = "COMMAND")]
    commands: Vec<String>,
    #[command(flatten)]
    port: PortArguments,
}

/// The longest script, in bytes.
const SCRIPT_LIMIT: usize = 4 * 1024 * 1024;

/// So many bytes of what is no text are shown.
const GARBAGE: usize = 24;

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let inputs = arguments.inputs().await?;
    let mut actions = plan(&inputs)?;
    if let Some(expect) = &arguments.expect {
        match actions.last_mut() {
            Some(Action::Exchange { expects, .. } | Action::Await(expects)) => expects.push(expect),
            _ => actions.push(Action::Await(vec![expect])),
        }
    }
    let mut session = Session {
        dialogue: Dialogue::new(arguments.port.open().await?, UNKNOWN),
        printer: Printer::new(arguments.json, arguments.explain),
        overlong: Throttle::new(),
    };
    let commands = actions
        .iter()
        .filter(|action| matches!(action, Action::Exchange { .. }));
    let commands = commands.count();
    let mut refused = Vec::new();
    for action in &actions {
        match session.act(action, arguments.timeout).await {
            Err(failure) if arguments.keep_going && failure.kind() == FailureKind::Refused => {
                refused.push(failure.to_string());
            }
            outcome => outcome?,
        }
    }
    match &refused[..] {
        [] => Ok(()),
        all => Err(Failure::new(
            FailureKind::Refused,
            format!(
                "{} of {commands} commands failed: {}",
                all.len(),
                all.join("; ")
            ),
        )),
    }
}

impl Arguments {
    /// What is to be sent: the arguments, or a script.
    async fn inputs(&self) -> Result<Vec<Input>, Failure> {
        match &self.commands[..] {
            [] if stdin().is_terminal() => {
                let failure = Failure::new(FailureKind::Usage, "there is no command to send");
                Err(failure
                    .hint("give commands, or a script on stdin; `atmq shell` is interactive"))
            }
            [] => read_script().await,
            [dash] if dash == "-" => read_script().await,
            commands => Ok(commands.iter().cloned().map(Input::Argument).collect()),
        }
    }
}

async fn read_script() -> Result<Vec<Input>, Failure> {
    let script = read_all(tokio::io::stdin(), SCRIPT_LIMIT).await;
    script::parse(&script.map_err(|error| unreadable("standard input", &error))?)
}

struct Session<P> {
    dialogue: Dialogue<P>,
    printer: Printer,
    overlong: Throttle<Instant>,
}

impl<P: AsyncRead + AsyncWrite + Unpin> Session<P> {
    async fn act(&mut self, action: &Action<'_>, limit: Option<Duration>) -> Result<(), Failure> {
        match action {
            Action::Exchange { step, expects } => {
                let limit = limit.unwrap_or(step.limit);
                self.exchange(Some(step), expects, limit).await
            }
            Action::Await(expects) => self.exchange(None, expects, limit.unwrap_or(LIMIT)).await,
            Action::Wait(time) => {
                let until = Instant::now() + *time;
                while let Some(heard) = self.next(until).await? {
                    if let Heard::Line(line) = heard {
                        self.printer.received(&line.bytes)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Sends a command, if there is one, and waits for what it brings and for lines that match,
    /// one after another.
    async fn exchange(
        &mut self,
        step: Option<&Step<'_>>,
        expects: &[&Regex],
        limit: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        let mut expects = expects.iter().peekable();
        let mut waits = Waits::of(step);
        if let Some(step) = step {
            if waits.data.is_some() {
                self.dialogue.expect_prompt();
            }
            self.printer.sent(step.command)?;
            self.dialogue.command(step.command.as_bytes()).await?;
        }
        while !waits.are_over() || expects.peek().is_some() {
            let line = match self.next(deadline).await? {
                Some(Heard::Line(line)) => line,
                Some(Heard::Prompt) => {
                    self.printer.prompted()?;
                    self.send_data(&mut waits).await?;
                    continue;
                }
                Some(Heard::Overlong(length)) => {
                    if self.overlong.pass(Instant::now()).is_some() {
                        tell(&format!(
                            "atmq: a line of {length} bytes has been passed over"
                        ));
                    }
                    continue;
                }
                None => return Err(timed_out(step, &waits, limit, self.dialogue.unfinished())),
            };
            if let Some(step) = step
                && !waits.answered
                && line.bytes.trim_ascii_end() == step.command.as_bytes()
            {
                // The echo.
                continue;
            }
            self.printer.received(&line.bytes)?;
            if expects
                .peek()
                .is_some_and(|expect| expect.is_match(&line.bytes))
            {
                expects.next();
            }
            if let Some(step) = step {
                self.judge(step, &line, &mut waits).await?;
            }
        }
        Ok(())
    }

    /// What a line means for the command that waits.
    async fn judge(
        &mut self,
        step: &Step<'_>,
        line: &Line,
        waits: &mut Waits<'_>,
    ) -> Result<(), Failure> {
        if !waits.answered
            && let Some(result) = FinalResult::decode(&line.bytes)
        {
            match result {
                // The command announced data, and the module is ready for it.
                FinalResult::Connect(_) if waits.data.is_some() => {
                    return self.send_data(waits).await;
                }
                // The module shows data, up to its `OK`.
                FinalResult::Connect(_) if !step.may_prompt() => return Ok(()),
                FinalResult::Ok | FinalResult::Connect(_) => {}
                result => {
                    return Err(Failure::new(
                        FailureKind::Refused,
                        format!("the module answered {} with {result}", step.shown()),
                    ));
                }
            }
            waits.answered = true;
        } else if let Some(report) = &step.report
            && let Some(urc) = line.urc()
            && report.is_met_by(urc)
        {
            waits.reported = true;
            if !is_success(urc) {
                let line = String::from_utf8_lossy(&line.bytes);
                return Err(Failure::new(
                    FailureKind::Refused,
                    format!("{} did not succeed: {line}", step.shown()),
                ));
            }
        }
        Ok(())
    }

    async fn send_data(&mut self, waits: &mut Waits<'_>) -> Result<(), Failure> {
        let data = waits.data.take().unwrap_or_default();
        self.printer.sent_data(data)?;
        self.dialogue.write(data).await
    }

    /// The next thing the module sends; `None` if it sends nothing in time.
    async fn next(&mut self, deadline: Instant) -> Result<Option<Heard>, Failure> {
        match timeout_at(deadline, self.dialogue.hear()).await {
            Ok(heard) => heard.map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// What is still to come of a command.
struct Waits<'s> {
    /// Its final result code has come.
    answered: bool,
    /// Its outcome has been reported.
    reported: bool,
    /// What it will ask for.
    data: Option<&'s [u8]>,
}

impl<'s> Waits<'s> {
    fn of(step: Option<&'s Step<'_>>) -> Self {
        Self {
            answered: step.is_none(),
            reported: step.is_none_or(|step| step.report.is_none()),
            data: step.and_then(|step| step.data),
        }
    }

    fn are_over(&self) -> bool {
        self.answered && self.reported
    }
}

fn timed_out(
    step: Option<&Step<'_>>,
    waits: &Waits<'_>,
    limit: Duration,
    garbage: &[u8],
) -> Failure {
    let missing = match (waits.answered, waits.reported, waits.data) {
        (false, _, Some(_)) => "did not ask for the data",
        (false, ..) => "did not answer",
        (true, false, _) => "did not report what came of it",
        (true, true, _) => "sent no line that --expect or @expect matches",
    };
    let shown = step.map_or_else(String::new, |step| format!("{}: ", step.shown()));
    let seconds = limit.as_secs_f64();
    let what = format!("{shown}the module {missing} within {seconds} s");
    if waits.answered || garbage.iter().all(u8::is_ascii) {
        let hint = match waits.answered {
            true => "a longer --timeout may help",
            false => "a longer --timeout may help; atmq doctor says whether anything answers there",
        };
        return Failure::new(FailureKind::TimedOut, what).hint(hint);
    }
    // A module says nothing but text before its answer.
    let garbage = visible(&garbage[..garbage.len().min(GARBAGE)]);
    Failure::new(
        FailureKind::TimedOut,
        format!("{what}, and sent garbage: {garbage}"),
    )
    .hint("the rate is wrong: --auto-baud looks for it")
}
