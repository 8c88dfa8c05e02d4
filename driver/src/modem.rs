use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::limits::Limits;
use atmq_protocol::standard::{
    Clock, Registration, SerialNumber, SignalQuality, SimStatus, StandardInformation,
    StandardRequest,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

use crate::client::Client;
use crate::connect::{self, ConnectOptions};
use crate::counters::Counters;
use crate::error::{ConnectError, Error, ExchangeError, OpenError, PortClosed, RequestError};
use crate::messages::{Inbox, Link, Messages};
use crate::port;
use crate::port_task::{Call, PortTask, Shared, lock};
use crate::session::{Answer, Command, Publish, RawCommand, Response, Session, check_publish};
use crate::settings::Settings;

/// Calls that may wait for the port's task. A caller beyond that waits before its call does.
const CALLS: usize = 32;

/// Unsolicited lines that may wait for their reader.
const LINES: usize = 256;

/// How often a module that reboots while it is being initialised gets another chance.
const ATTEMPTS: usize = 3;

/// A module on a port: the handle to the task that owns both. Cheap to clone.
///
/// Commands are exchanged one at a time, in the order in which they are asked for. All methods
/// can be cancelled: dropping a future gives up the result, while a command that has been sent
/// is exchanged to its end, so the next one finds the channel in order.
///
/// The port is closed when every handle, [`Client`] included, is gone.
#[derive(Debug, Clone)]
pub struct Modem {
    calls: mpsc::Sender<Call>,
    shared: Arc<Shared>,
    settings: Arc<Settings>,
}

impl Modem {
    /// Opens a serial device or PTY and [initialises](Self::initialise) the module.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The device cannot be opened, or what is behind it does not answer.
    pub async fn open(path: &str, settings: Settings) -> Result<Self, OpenError> {
        let port = port::open_device(path, &settings)?;
        Self::initialised(Self::over(port, settings)).await
    }

    /// Connects to a TCP peer that stands for a serial port, `HOST:PORT`, and
    /// [initialises](Self::initialise) the module.
    ///
    /// # Errors
    /// The peer cannot be reached, or what is behind it does not answer.
    pub async fn connect_tcp(address: &str, settings: Settings) -> Result<Self, OpenError> {
        let port = port::connect(address).await?;
        Self::initialised(Self::over(port, settings)).await
    }

    /// Takes over a stream of any kind. Nothing is sent: call [`initialise`](Self::initialise),
    /// unless the module is known to be in order. The stream is flushed after each command, so
    /// take serial devices from [`open_port`](crate::open_port), where that does not block.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn over(stream: impl AsyncRead + AsyncWrite + Send + 'static, settings: Settings) -> Self {
        let (calls, receiver) = mpsc::channel(CALLS);
        let shared = Arc::new(Shared::default());
        let limits = settings.limits.clone().unwrap_or(Limits::NT26);
        let session = Session::new(settings.dialect, limits);
        let task = PortTask::new(session, receiver, shared.clone(), settings.tap.clone());
        tokio::spawn(task.run(stream));
        Self {
            calls,
            shared,
            settings: Arc::new(settings),
        }
    }

    async fn initialised(self) -> Result<Self, OpenError> {
        self.initialise().await.map_err(OpenError::Initialise)?;
        Ok(self)
    }

    /// Brings a module of unknown state in order: waits until it answers, and until nothing of
    /// an earlier program can be taken for an answer; then switches echo off (`ATE0`) and error
    /// numbers on (`AT+CMEE=1`), and asks for the model, unless
    /// [`Settings::limits`] tells what it accepts.
    ///
    /// A module that is asleep or booting has about 15 s to answer. Dropping the future leaves
    /// the module as far as it has come.
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn initialise(&self) -> Result<(), Error> {
        self.send(Call::Synchronise).await?;
        for request in [
            StandardRequest::Echo(false),
            StandardRequest::ErrorReports(1),
        ] {
            self.patiently(request).await?;
        }
        if self.settings.limits.is_none() {
            let model = match self.patiently(StandardRequest::Model).await {
                Ok(information) => text(information).unwrap_or_default(),
                // A module that does not tell its model gets the narrower limits.
                Err(Error::Exchange(ExchangeError::Refused { .. })) => String::new(),
                Err(error) => return Err(error),
            };
            let limits = Box::new(Limits::of_model(&model));
            self.send(Call::SetLimits(limits)).await?;
        }
        Ok(())
    }

    /// Asks again if the module reboots meanwhile.
    async fn patiently(&self, request: StandardRequest) -> Result<Vec<StandardInformation>, Error> {
        let mut outcome = self.standard(request).await;
        for _ in 1..ATTEMPTS {
            match &outcome {
                Err(Error::Exchange(ExchangeError::Rebooted { .. })) => {}
                _ => break,
            }
            outcome = self.standard(request).await;
        }
        outcome
    }

    /// Asks whether the module is there (`AT`).
    ///
    /// # Errors
    /// It is not.
    pub async fn attention(&self) -> Result<(), Error> {
        self.standard(StandardRequest::Attention).await.map(drop)
    }

    /// Asks for manufacturer, model, firmware and IMEI. What the module refuses to tell is
    /// `None`.
    ///
    /// # Errors
    /// The module does not answer.
    pub async fn identify(&self) -> Result<Identity, Error> {
        Ok(Identity {
            manufacturer: self.identity(StandardRequest::Manufacturer).await?,
            model: self.identity(StandardRequest::Model).await?,
            revision: self.identity(StandardRequest::Revision).await?,
            imei: self
                .identity(StandardRequest::SerialNumber(SerialNumber::Imei))
                .await?,
        })
    }

    async fn identity(&self, request: StandardRequest) -> Result<Option<String>, Error> {
        match self.standard(request).await {
            Ok(information) => Ok(text(information)),
            Err(Error::Exchange(ExchangeError::Refused { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks whether the SIM can be used (`AT+CPIN?`).
    ///
    /// # Errors
    /// The module does not answer, or with an error: without a SIM it is `+CME ERROR: 10`.
    pub async fn sim_status(&self) -> Result<SimStatus, Error> {
        let request = StandardRequest::SimStatus;
        self.one(request, |information| match information {
            StandardInformation::SimStatus(status) => Some(status),
            _ => None,
        })
        .await
    }

    /// Asks for the signal strength (`AT+CSQ`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn signal_quality(&self) -> Result<SignalQuality, Error> {
        let request = StandardRequest::SignalQuality;
        self.one(request, |information| match information {
            StandardInformation::SignalQuality(quality) => Some(quality),
            _ => None,
        })
        .await
    }

    /// Asks for the registration with the network (`AT+CEREG?`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn registration(&self) -> Result<Registration, Error> {
        let request = StandardRequest::QueryRegistration;
        self.one(request, |information| match information {
            StandardInformation::Registration { registration, .. } => Some(registration),
            _ => None,
        })
        .await
    }

    /// Asks for the module's clock (`AT+CCLK?`).
    ///
    /// # Errors
    /// The module does not answer, or with an error.
    pub async fn clock(&self) -> Result<Clock, Error> {
        let request = StandardRequest::QueryClock;
        self.one(request, |information| match information {
            StandardInformation::Clock(clock) => Some(clock),
            _ => None,
        })
        .await
    }

    async fn one<T>(
        &self,
        request: StandardRequest,
        find: impl Fn(StandardInformation) -> Option<T>,
    ) -> Result<T, Error> {
        let information = self.standard(request).await?;
        let mut command = Vec::new();
        request.encode(&mut command);
        let command = String::from_utf8_lossy(command.trim_ascii_end()).into_owned();
        let found = information.into_iter().find_map(find);
        found.ok_or(Error::NoInformation { command })
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
        match self.exchange(Command::Raw(command), limit, None).await? {
            Answer::Raw(response) => Ok(response),
            _ => unreachable!("a raw command has a raw answer"),
        }
    }

    /// The lines that come from now on and answer no command: URCs, typed ones included, and
    /// what nobody recognises.
    ///
    /// # Errors
    /// The port is closed.
    pub async fn lines(&self) -> Result<Lines, Error> {
        let (sender, lines) = mpsc::channel(LINES);
        self.send(Call::Lines(sender)).await?;
        Ok(Lines { lines })
    }

    /// Configures a connection, opens it and connects to the broker.
    ///
    /// Dropping the future lets the command in progress run to its end and leaves the module's
    /// connection as far as it has come; the next `connect` begins by closing it.
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

    /// What has been counted since the port was opened.
    pub fn counters(&self) -> Counters {
        *lock(&self.shared.counters)
    }

    /// Whether the module can carry the message; true until it is known what module it is.
    pub(crate) fn check_publish(
        &self,
        options: &ConnectOptions,
        publish: Publish,
    ) -> Result<(), RequestError> {
        let known = lock(&self.shared.limits).clone();
        let Some(limits) = self.settings.limits.clone().or(known) else {
            return Ok(());
        };
        let format = options.send_format(&limits);
        check_publish(self.settings.dialect, limits, format, publish)
    }

    pub(crate) fn new_link(&self, options: &ConnectOptions) -> Arc<Link> {
        Arc::new(Link::new(options.connection, self.new_inbox()))
    }

    pub(crate) fn new_inbox(&self) -> Inbox {
        Inbox::new(self.settings.message_queue, self.shared.drained.clone())
    }

    async fn standard(&self, request: StandardRequest) -> Result<Vec<StandardInformation>, Error> {
        let command = Command::Standard(request);
        match self.exchange(command, None, None).await? {
            Answer::Standard(information) => Ok(information),
            _ => unreachable!("a standard command has a standard answer"),
        }
    }

    pub(crate) async fn exchange(
        &self,
        command: Command,
        limit: Option<Duration>,
        link: Option<Arc<Link>>,
    ) -> Result<Answer, Error> {
        let (reply, answer) = oneshot::channel();
        self.send(Call::Exchange {
            command,
            limit,
            link,
            reply,
        })
        .await?;
        answer.await.map_err(|_| self.closed())?
    }

    pub(crate) async fn send(&self, call: Call) -> Result<(), Error> {
        self.calls.send(call).await.map_err(|_| self.closed())
    }

    pub(crate) fn closed(&self) -> Error {
        let reason = lock(&self.shared.closed).clone();
        Error::PortClosed(reason.unwrap_or_else(|| PortClosed("its task has ended".into())))
    }
}

/// What a module says it is. Each is `None` if the module does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identity {
    /// `AT+CGMI`
    pub manufacturer: Option<String>,
    /// `AT+CGMM`
    pub model: Option<String>,
    /// `AT+CGMR`: the firmware.
    pub revision: Option<String>,
    /// `AT+CGSN=1`
    pub imei: Option<String>,
}

/// Lines that answer no command, see [`Modem::lines`].
///
/// At most 256 wait; more are dropped and counted in
/// [`Counters::lines_dropped`](crate::Counters::lines_dropped).
#[derive(Debug)]
pub struct Lines {
    lines: mpsc::Receiver<Vec<u8>>,
}

impl Lines {
    /// The next line without its line end; `None` once the port is closed.
    ///
    /// Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        self.lines.recv().await
    }
}

fn text(information: Vec<StandardInformation>) -> Option<String> {
    information
        .into_iter()
        .find_map(|information| match information {
            StandardInformation::Text(text) | StandardInformation::SerialNumber(text) => Some(text),
            _ => None,
        })
}
