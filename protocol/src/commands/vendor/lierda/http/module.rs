//! The module's face. Parameters, results and error numbers are those of Quectel's `AT+QHTTP…`, from
//! general knowledge (inferred).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{COMMANDS, KEYS};
use crate::at::command::{Command, Form};
use crate::at::framing::DataEnd;
use crate::dialect::{Act, Ask, Event, Face, Finish, Ground, NoData, Prompt, Refused};
use crate::http::{Content, Failure, Method, Request, Response, Url};
use crate::limits::Limits;
use crate::spec::Values;

/// How long an answer is awaited unless the host says so (Quectel's).
const RESPONSE_TIME: Duration = Duration::from_secs(60);

/// Another request is not done yet.
const BUSY: Refused = Refused::Cme(703);
/// No request has been answered.
const NOT_ASKED: Refused = Refused::Cme(705);
const BAD_URL: Refused = Refused::Cme(711);
const EMPTY_URL: Refused = Refused::Cme(712);
/// The bytes did not come in time.
const INPUT_TIMEOUT: Refused = Refused::Cme(726);

/// The HTTP client's settings, and what it is doing. All of it is gone after a reboot.
#[derive(Debug)]
pub(in crate::commands::vendor::lierda) struct HttpClient {
    limits: Limits,
    /// The value of each key, in the order of the table.
    settings: [u8; KEYS.len()],
    url: Option<(String, Url)>,
    upload: Option<Upload>,
    /// The command whose request is on its way.
    pending: Option<&'static str>,
    response: Option<Response>,
}

/// What the bytes are for that the host was asked for.
#[derive(Debug)]
enum Upload {
    Url,
    Request { method: Method, patience: Duration },
}

impl HttpClient {
    pub(in crate::commands::vendor::lierda) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            settings: [1, 0, 0, 0, 0],
            url: None,
            upload: None,
            pending: None,
            response: None,
        }
    }

    /// The host writes the heads of requests itself.
    fn request_header(&self) -> bool {
        self.settings[1] == 1
    }

    /// The host reads the heads of responses, too.
    fn response_header(&self) -> bool {
        self.settings[2] == 1
    }

    /// Without a value it is shown.
    fn configure(
        &mut self,
        values: &mut Values<'_, '_>,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let name = values.key()?.name;
        let place = KEYS.iter().position(|key| key.name == name);
        let place = values.known(place)?;
        let value = values.optional_integer()?;
        values.end()?;
        match value {
            Some(value) => self.settings[place] = value,
            None => {
                let line = format!("+LHTTPCFG: \"{name}\",{}", self.settings[place]);
                acts.push(Act::Say(line.into_bytes()));
            }
        }
        Ok(Finish::Ok)
    }

    /// With a length, and where the host writes heads itself, the request comes behind `CONNECT`.
    fn get(&mut self, values: &mut Values<'_, '_>, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        let patience = response_time(values)?;
        let length = values.optional_integer()?;
        let input = self.patience(values)?;
        values.end()?;
        self.ready_to_ask()?;
        let method = Method::Get;
        match length {
            Some(length) if self.request_header() => {
                Ok(self.take(Upload::Request { method, patience }, length, input))
            }
            Some(_) => Err(Refused::NOT_ALLOWED),
            None => self.ask("+LHTTPGET", method, None, b"", patience, acts),
        }
    }

    /// A part of the resource.
    fn get_range(
        &mut self,
        values: &mut Values<'_, '_>,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let patience = response_time(values)?;
        let start: u64 = values.integer()?;
        let length: u64 = values.integer()?;
        values.end()?;
        self.ready_to_ask()?;
        let range = Some((start, start + length - 1));
        self.ask("+LHTTPGETEX", Method::Get, range, b"", patience, acts)
    }

    fn post(&mut self, values: &mut Values<'_, '_>) -> Result<Finish, Refused> {
        let length = values.integer()?;
        let input = self.patience(values)?;
        let patience = response_time(values)?;
        values.end()?;
        self.ready_to_ask()?;
        let method = Method::Post;
        Ok(self.take(Upload::Request { method, patience }, length, input))
    }

    /// `CONNECT`, the body, `OK`, `+LHTTPREAD: 0`. The body can be read again until the next
    /// request.
    fn read(&self, values: &mut Values<'_, '_>, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        // How long a slow network is waited for; here all has come before the result was told.
        values.optional_integer::<u16>()?;
        values.end()?;
        if self.pending.is_some() {
            return Err(BUSY);
        }
        let response = self.response.as_ref().ok_or(NOT_ASKED)?;
        let head: &[u8] = match self.response_header() {
            true => &response.head,
            false => b"",
        };
        acts.push(Act::Stream([head, &response.body].concat()));
        acts.push(Act::Announce(b"+LHTTPREAD: 0".to_vec()));
        Ok(Finish::Ok)
    }

    /// Asks the host for bytes.
    fn take(&mut self, what: Upload, length: usize, patience: Duration) -> Finish {
        self.upload = Some(what);
        Finish::Data(Ask {
            prompt: Prompt::Line(b"CONNECT"),
            length: Some(length),
            end: DataEnd::Length,
            patience: Some(patience),
            escapable: false,
        })
    }

    fn ask(
        &mut self,
        name: &'static str,
        method: Method,
        range: Option<(u64, u64)>,
        data: &[u8],
        patience: Duration,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let (_, url) = self.url.clone().ok_or(EMPTY_URL)?;
        let content = match self.request_header() && !data.is_empty() {
            true => Content::Whole(data.to_vec()),
            false => {
                let (_, kind) = KEYS[4].values[0].values[usize::from(self.settings[4])];
                Content::Body(kind, data.to_vec())
            }
        };
        self.response = None;
        self.pending = Some(name);
        acts.push(Act::Request(Box::new(Request {
            method,
            url,
            range,
            content,
            cid: self.settings[0],
            tls: self.settings[3],
            patience,
        })));
        Ok(Finish::Ok)
    }

    /// How long the next byte of announced data is awaited.
    fn patience(&self, values: &mut Values<'_, '_>) -> Result<Duration, Refused> {
        Ok(seconds(values)?.unwrap_or(self.limits.prompt_timeout))
    }

    fn ready_to_ask(&self) -> Result<(), Refused> {
        if self.pending.is_some() {
            return Err(BUSY);
        }
        if self.url.is_none() {
            return Err(EMPTY_URL);
        }
        Ok(())
    }
}

impl Face for HttpClient {
    fn command(
        &mut self,
        command: &Command<'_>,
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let limits = self.limits.clone();
        let spec = COMMANDS.iter().find(|spec| spec.is(command.name));
        let spec = spec.ok_or(Refused::Unknown)?;
        let values = &mut spec.values(command.form.values(), &limits);
        if command.is("+LHTTPCFG") {
            self.configure(values, acts)
        } else if command.is("+LHTTPURL") && command.form == Form::Read {
            let url = self.url.as_ref();
            acts.extend(url.map(|(text, _)| Act::Say(format!("+LHTTPURL: {text}").into_bytes())));
            Ok(Finish::Ok)
        } else if command.is("+LHTTPURL") {
            let length = values.integer()?;
            let patience = self.patience(values)?;
            values.end()?;
            Ok(self.take(Upload::Url, length, patience))
        } else if command.is("+LHTTPGET") {
            self.get(values, acts)
        } else if command.is("+LHTTPGETEX") {
            self.get_range(values, acts)
        } else if command.is("+LHTTPPOST") {
            self.post(values)
        } else if command.is("+LHTTPREAD") {
            self.read(values, acts)
        } else {
            // The request is dropped, without a result URC.
            acts.extend(self.pending.take().map(|_| Act::DropRequest));
            Ok(Finish::Ok)
        }
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match self.upload.take() {
            Some(Upload::Request { method, patience }) => {
                let name = match method {
                    Method::Get => "+LHTTPGET",
                    Method::Post => "+LHTTPPOST",
                };
                self.ask(name, method, None, data, patience, acts)
            }
            _ => {
                let text = core::str::from_utf8(data).map_err(|_| BAD_URL)?;
                let url = Url::parse(text).ok_or(BAD_URL)?;
                self.url = Some((text.into(), url));
                Ok(Finish::Ok)
            }
        }
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.upload = None;
        Err(INPUT_TIMEOUT)
    }

    fn restarted(&mut self) {
        *self = Self::new(&self.limits);
    }

    /// `+LHTTPGET: 0,<code>[,<content length>]`, `+LHTTPGET: <err>`
    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        let Event::Response(result) = event else {
            return;
        };
        let Some(name) = self.pending.take() else {
            return;
        };
        let mut line = format!("{name}: ");
        match result {
            Ok(response) => {
                line += &format!("0,{}", response.code);
                if let Some(length) = response.length {
                    line += &format!(",{length}");
                }
                self.response = Some(response);
            }
            Err(failure) => line += &format!("{}", number(failure)),
        }
        acts.push(Act::Announce(line.into_bytes()));
    }
}

/// As the result URC tells it.
const fn number(failure: Failure) -> u16 {
    match failure {
        Failure::Deactivated => 709,
        Failure::Tls => 710,
        Failure::Resolve => 714,
        Failure::Connect => 716,
        Failure::Closed => 719,
        Failure::Malformed => 721,
        Failure::TimedOut => 728,
        Failure::TooLong => 729,
    }
}

fn response_time(values: &mut Values<'_, '_>) -> Result<Duration, Refused> {
    Ok(seconds(values)?.unwrap_or(RESPONSE_TIME))
}

fn seconds(values: &mut Values<'_, '_>) -> Result<Option<Duration>, Refused> {
    let seconds = values.optional_integer::<u16>()?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}
