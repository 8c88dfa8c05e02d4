mod questions;

use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::dialect::{self, Model};
use atmq_protocol::mqtt::{Connect, Operation, Outcome, Publish};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use crate::client::Client;
use crate::connect::{self, ConnectOptions};
use crate::counters::Counters;
use crate::error::{ConnectError, Error, OpenError, PortClosed, RequestError};
use crate::messages::{Inbox, Link, Messages};
use crate::operations::{Asked, Performed};
use crate::port::open_port;
use crate::port_task::{Call, PortTask, Shared, Stream, Supply, lock};
use crate::session::{Answer, Command, RawCommand, Response, Session};
use crate::settings::Settings;
use crate::state::{ModemState, StateChanges};
use crate::unsolicited::{Lines, Urcs};

pub use questions::{Address, Functionality, Identity, NetworkStatus, Signal};
pub(crate) use questions::{REGISTRATIONS, is_busy, is_refusal};

/// Calls that may wait for the port's task. A caller beyond that waits before its call does.
const CALLS: usize = 32;

/// Resets that may be asked for at a time: all are the same one.
const RESETS: usize = 4;

/// A module on a port: the handle to the task that owns both. Cheap to clone.
///
/// Commands are exchanged one at a time, in the order in which they are asked for. All methods
/// can be cancelled: dropping a future gives up the result, while a command that has been sent
/// is exchanged to its end, so the next one finds the channel in order.
///
/// Once the module has been [initialised](Self::initialise), it stays so: after it has rebooted,
/// or the port has been lost and is back, the task initialises it again before it sends the next
/// command. Who calls meanwhile waits, and notices nothing; only what was under way fails. What
/// else the module was told is lost with a reboot: connections, the PIN, a radio that was
/// switched off. [`state`](Self::state) tells how things stand.
///
/// The port is closed when every handle, [`Client`] included, is gone.
#[derive(Debug, Clone)]
pub struct Modem {
    calls: mpsc::Sender<Call>,
    resets: mpsc::Sender<oneshot::Sender<Result<(), Error>>>,
    pub(crate) shared: Arc<Shared>,
    settings: Arc<Settings>,
}

impl Modem {
    /// Opens a port by its name, as [`open_port`](crate::open_port) knows them, and
    /// [initialises](Self::initialise) the module. If the port is lost later, it is opened again,
    /// see [`Settings::reopen`]. One that is not there yet is waited for as
    /// [`Settings::wait_for_port`] says.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The port cannot be opened, or what is behind it does not answer.
    pub async fn open(port: &str, mut settings: Settings) -> Result<Self, OpenError> {
        let supply = match settings.reopen {
            true => Supply::Port(port.into()),
            false => Supply::None,
        };
        let stream = Stream::Port(open_port(port, &settings).await?);
        // If it is lost, it is looked for at other intervals, and without an end.
        settings.wait_for_port = Duration::ZERO;
        let modem = Self::start(stream, supply, settings);
        modem.initialise().await.map_err(OpenError::Initialise)?;
        Ok(modem)
    }

    /// Takes over a stream of any kind. Nothing is sent: call [`initialise`](Self::initialise),
    /// unless the module is known to be in order. The stream is flushed after each command, so
    /// take serial devices from [`open_port`], where that does not block.
    ///
    /// If the stream ends, that is the end, unless [`Settings::reopen_with`] brings another.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static, settings: Settings) -> Self {
        let supply = match &settings.reopen_with {
            Some(reopen) => Supply::Caller(reopen.clone()),
            None => Supply::None,
        };
        Self::start(Stream::Other(Box::pin(stream)), supply, settings)
    }

    fn start(stream: Stream, supply: Supply, settings: Settings) -> Self {
        let (calls, asked) = mpsc::channel(CALLS);
        let (resets, wanted) = mpsc::channel(RESETS);
        let shared = Arc::new(Shared::default());
        let settings = Arc::new(settings);
        let session = Session::new(settings.model.as_ref().unwrap_or(&dialect::UNKNOWN));
        let task = PortTask::new(session, asked, wanted, shared.clone(), settings.clone());
        tokio::spawn(task.run(stream, supply));
        Self {
            calls,
            resets,
            shared,
            settings,
        }
    }

    /// Brings a module of unknown state in order: waits until it answers, and until nothing of
    /// an earlier program can be taken for an answer; then switches echo off (`ATE0`) and error
    /// numbers on (`AT+CMEE=1`), and asks for the model, unless
    /// [`Settings::model`] tells it. A module whose name is not known is asked which MQTT commands it
    /// has, and gets the narrowest limits of that command set. From then on the module is kept so.
    ///
    /// A module that is asleep or booting has about 50 s to answer: it is sent `AT` once, and may
    /// take what follows for the data of an earlier program until it has had the time to give up
    /// waiting for that (35 s). Then it has 15 s; with [`Settings::fresh`] from the beginning.
    /// Dropping the future does not stop it.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn initialise(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Call::Initialise(reply)).await?;
        answer.await.map_err(|_| self.closed())?
    }

    /// Has the module start anew, and initialises it: by [`Settings::reset_hook`], or else by
    /// `AT+CFUN=0,1`, which is sent even if the module does not answer. What is under way fails
    /// with [`Error::Reset`], connections end; then [`bring_up`](Self::bring_up) is to be called
    /// again, and everything else that was configured.
    ///
    /// It is over within 90 s, most of which only a module needs that does not answer: up to 50 s
    /// until the command is sent blindly, so that a publish that waits for its data does not
    /// take it for that, and 10 s for its answer and the banner; or 30 s for the hook; then 30 s
    /// for its first answer. Dropping the future does not stop it. Who asks while a reset is
    /// under way, is told its outcome.
    ///
    /// # Errors
    /// The module refuses, the hook fails, or the module does not answer afterwards.
    pub async fn reset(&self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let sent = self.resets.send(reply).await;
        sent.map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }

    /// How things stand with the module and its port.
    pub fn state(&self) -> ModemState {
        self.shared.state.borrow().clone()
    }

    /// The changes of the [state](Self::state) from now on, and the present one first.
    pub fn state_changes(&self) -> StateChanges {
        let mut changes = self.shared.state.subscribe();
        changes.mark_changed();
        StateChanges(changes)
    }

    /// Waits until commands are exchanged at once: the port is there, and the module in order, if
    /// it ever was initialised. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The port is closed for good.
    pub async fn ready(&self) -> Result<(), Error> {
        let ready = self.state_changes().ready().await;
        ready.map_err(Error::PortClosed)
    }

    /// Sends a command line, such as `AT+CSQ`, and waits for its final result code, which is part
    /// of the answer even if it is an error. The line goes without line end.
    ///
    /// The time limit is the manual's for commands known to it, else 60 s.
    ///
    /// # Errors
    /// The line holds a control character or does not begin with `AT`, or the module does not
    /// answer.
    pub async fn command(&self, line: impl AsRef<[u8]>) -> Result<Response, Error> {
        self.raw(RawCommand::new(line.as_ref()), None).await
    }

    /// As [`command`](Self::command), with data for a prompt, waiting for the result URC as well,
    /// or with a time limit of one's own.
    ///
    /// # Errors
    /// As there; and if the data does not have the length that the command announces.
    pub async fn raw(
        &self,
        command: RawCommand,
        limit: Option<Duration>,
    ) -> Result<Response, Error> {
        match self.exchange(Command::Raw(command), limit).await? {
            Answer::Raw(response) => Ok(response),
            _ => unreachable!("a raw command has a raw answer"),
        }
    }

    /// What the module says by itself from now on, typed: what [`lines`](Self::lines) tells as
    /// bytes. It goes on when the module reboots or the port comes back.
    pub fn urcs(&self) -> Urcs {
        lock(&self.shared.feeds).add_urcs()
    }

    /// The lines that come from now on and answer no command: URCs, typed ones included, and
    /// what nobody recognises.
    pub fn lines(&self) -> Lines {
        lock(&self.shared.feeds).add_lines()
    }

    /// Configures a connection, opens it and connects to the broker.
    ///
    /// Dropping the future lets the command in progress run to its end; then what has been made
    /// of the connection is released, before other commands are sent.
    ///
    /// # Errors
    /// Something cannot be written as a command, the connection is in use, the module cannot
    /// open the link, the broker refuses, or a command fails. Whatever was opened is closed.
    pub async fn connect(
        &self,
        options: ConnectOptions,
    ) -> Result<(Client, Messages), ConnectError> {
        connect::connect(self, options).await
    }

    /// The rate at which [`Settings::auto_baud`] found the module last, in bits per second; `None`
    /// if it was not looked for, or not found.
    pub fn found_baud_rate(&self) -> Option<u32> {
        *lock(&self.shared.found_rate)
    }

    /// What the module is taken for: what [`Settings::model`] says, else what was found when it was
    /// [initialised](Self::initialise); `None` before that.
    pub fn model(&self) -> Option<Model> {
        let found = || lock(&self.shared.model).clone();
        self.settings.model.clone().or_else(found)
    }

    /// What has been counted since the port was opened.
    pub fn counters(&self) -> Counters {
        *lock(&self.shared.counters)
    }

    /// Whether the module can carry the message on a connection that is made so; true until it is
    /// known what module it is.
    pub(crate) fn check_publish(
        &self,
        connect: &Connect,
        publish: Publish,
    ) -> Result<(), RequestError> {
        let Some(model) = self.model() else {
            return Ok(());
        };
        let host = model.dialect.host(&model.limits);
        Ok(host.check_publish(connect, publish)?)
    }

    pub(crate) fn new_link(&self, options: &ConnectOptions) -> Arc<Link> {
        Arc::new(Link::new(options.given().connection, self.new_inbox()))
    }

    pub(crate) fn new_inbox(&self) -> Inbox {
        Inbox::new(self.settings.message_queue, self.shared.drained.clone())
    }

    pub(crate) async fn exchange(
        &self,
        command: Command,
        limit: Option<Duration>,
    ) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Call::Exchange {
            command,
            limit,
            reply,
        })
        .await?;
        answer.await.map_err(|_| self.closed())?
    }

    /// Has an operation carried out, on behalf of `link` if it is given. Nothing, if another link
    /// uses the connection that is to be made.
    pub(crate) async fn perform(
        &self,
        operation: Operation,
        link: Option<Arc<Link>>,
    ) -> Result<Option<Performed>, Error> {
        let (reply, performed) = oneshot::channel();
        let asked = Asked { link, reply };
        self.send(Call::Perform { operation, asked }).await?;
        performed.await.map_err(|_| self.closed())?
    }

    /// Has a connect carried out. It is undone if the future is dropped, even where its outcome is
    /// on its way by then.
    pub(crate) async fn perform_connect(
        &self,
        connect: Connect,
        link: &Arc<Link>,
    ) -> Result<Option<Performed>, Error> {
        let (reply, performed) = oneshot::channel();
        let mut connecting = Connecting {
            modem: self,
            link,
            performed,
        };
        let operation = Operation::Connect(Box::new(connect));
        let link = Some(link.clone());
        let asked = Asked { link, reply };
        self.send(Call::Perform { operation, asked }).await?;
        let performed = (&mut connecting.performed).await;
        performed.map_err(|_| self.closed())?
    }

    pub(crate) async fn send(&self, call: Call) -> Result<(), Error> {
        self.calls.send(call).await.map_err(|_| self.closed())
    }

    pub(crate) fn closed(&self) -> Error {
        match self.state() {
            ModemState::Closed(reason) => Error::PortClosed(reason),
            _ => Error::PortClosed(PortClosed("its task has ended".into())),
        }
    }
}

/// A connect whose outcome has not been taken.
struct Connecting<'m> {
    modem: &'m Modem,
    link: &'m Arc<Link>,
    performed: oneshot::Receiver<Result<Option<Performed>, Error>>,
}

impl Drop for Connecting<'_> {
    /// Who has not taken the outcome when it was told does not know that there is a connection.
    fn drop(&mut self) {
        // From here on the port's task notices by itself.
        self.performed.close();
        let told = self.performed.try_recv();
        let connected =
            matches!(told, Ok(Ok(Some(performed))) if performed.outcome == Outcome::Done);
        if connected {
            let operation = Operation::Disconnect {
                connection: self.link.connection,
                connected: true,
            };
            let (reply, _) = oneshot::channel();
            let link = Some(self.link.clone());
            let asked = Asked { link, reply };
            // Where there is no room, the next connect releases it.
            let _ = self
                .modem
                .calls
                .try_send(Call::Perform { operation, asked });
        }
    }
}
