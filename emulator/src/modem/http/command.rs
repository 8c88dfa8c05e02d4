//! The commands of the HTTP client.

use std::time::{Duration, Instant};

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::commands::HTTP_KEYS;

use super::{BUSY, EMPTY_URL, HttpUpload};
use crate::http::Method;
use crate::modem::command::Done;
use crate::modem::data::Asked;
use crate::modem::{Modem, NOT_ALLOWED, Refused};

/// Bytes of an address (Quectel's).
const URL_LIMIT: i64 = 700;
/// Bytes to send at once: those that the UART's buffer holds.
const DATA_LIMIT: i64 = 16_384;
/// How long an answer is awaited unless the host says so, in seconds (Quectel's).
const RESPONSE_TIME: u16 = 60;

/// No request has been answered.
const NOT_ASKED: Refused = Refused::Cme(705);

/// `AT+LHTTPCFG="<key>"[,<value>]`
pub(in crate::modem) fn configure(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let given = parameters.text("key", 16)?;
    let mut known = HTTP_KEYS.iter();
    let place = known.position(|key| key.is(given.as_bytes()));
    let place = place.ok_or(NOT_ALLOWED)?;
    let key = &HTTP_KEYS[place];
    let range = key.values[0].ranges(&modem.profile.limits)[0];
    let value = parameters.optional_integer("value", range.0, range.1)?;
    parameters.end()?;
    match value {
        Some(value) => modem.http.settings.0[place] = value,
        None => {
            let value = modem.http.settings.0[place];
            modem.say("+LHTTPCFG", format!("\"{}\",{value}", key.name));
        }
    }
    Ok(Done::Answered)
}

/// `AT+LHTTPURL?` → `+LHTTPURL: <url>`; nothing if there is none.
pub(in crate::modem) fn tell_url(
    modem: &mut Modem,
    _: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    if let Some((text, _)) = modem.http.url.clone() {
        modem.say("+LHTTPURL", text);
    }
    Ok(Done::Answered)
}

/// `AT+LHTTPURL=<len>[,<timeout>]` → `CONNECT`, the address, `OK`.
pub(in crate::modem) fn take_url(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let length = parameters.integer("url_length", 1, URL_LIMIT)?;
    let patience = modem.patience(parameters, "timeout")?;
    parameters.end()?;
    Ok(Done::Data(Asked::http(HttpUpload::Url, length, patience)))
}

/// `AT+LHTTPGET[=<rsptime>[,<len>[,<timeout>]]]`: with a length, and where the host writes heads
/// itself, the request comes behind `CONNECT`.
pub(in crate::modem) fn get(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    let patience = response_time(parameters)?;
    let length = parameters.optional_integer("data_length", 1, DATA_LIMIT)?;
    let input = modem.patience(parameters, "input_time")?;
    parameters.end()?;
    modem.ready_to_ask()?;
    match length {
        Some(length) if modem.http.settings.request_header() => {
            let method = Method::Get;
            let what = HttpUpload::Request { method, patience };
            Ok(Done::Data(Asked::http(what, length, input)))
        }
        Some(_) => Err(NOT_ALLOWED),
        None => {
            modem.ask("+LHTTPGET", Method::Get, None, &[], patience, now)?;
            Ok(Done::Answered)
        }
    }
}

/// `AT+LHTTPGETEX=<rsptime>,<start>,<len>`: a part of the resource.
pub(in crate::modem) fn get_range(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    let patience = response_time(parameters)?;
    let start: u64 = parameters.integer("start_position", 0, i64::from(u32::MAX))?;
    let length: u64 = parameters.integer("read_len", 1, i64::from(u32::MAX))?;
    parameters.end()?;
    modem.ready_to_ask()?;
    let range = Some((start, start + length - 1));
    modem.ask("+LHTTPGETEX", Method::Get, range, &[], patience, now)?;
    Ok(Done::Answered)
}

/// `AT+LHTTPPOST=<len>[,<input time>[,<rsptime>]]` → `CONNECT`, the body, `OK`.
pub(in crate::modem) fn post(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let length = parameters.integer("data_length", 1, DATA_LIMIT)?;
    let input = modem.patience(parameters, "input_time")?;
    let patience = response_time(parameters)?;
    parameters.end()?;
    modem.ready_to_ask()?;
    let method = Method::Post;
    let what = HttpUpload::Request { method, patience };
    Ok(Done::Data(Asked::http(what, length, input)))
}

/// `AT+LHTTPREAD[=<wait time>]` → `CONNECT`, the body, `OK`, `+LHTTPREAD: 0`. The body can be read
/// again until the next request.
pub(in crate::modem) fn read(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    // How long a slow network is waited for; here all has come before the result was told.
    parameters.optional_integer::<u16>("wait_time", 1, 65_535)?;
    parameters.end()?;
    if modem.http.exchange.is_some() {
        return Err(BUSY);
    }
    let response = modem.http.response.as_ref().ok_or(NOT_ASKED)?;
    modem.output.result(&FinalResult::Connect(None));
    if modem.http.settings.response_header() {
        modem.output.raw(&response.head);
    }
    modem.output.raw(&response.body);
    modem.urc(now, b"+LHTTPREAD: 0");
    Ok(Done::Answered)
}

/// `AT+LHTTPSTOP`: the request is dropped, without a result URC.
pub(in crate::modem) fn stop(
    modem: &mut Modem,
    _: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    if modem.http.exchange.take().is_some() {
        modem.close_http();
    }
    Ok(Done::Answered)
}

fn response_time(parameters: &mut Parameters<'_>) -> Result<Duration, Refused> {
    let seconds = parameters.optional_integer("rsptime", 1, 65_535)?;
    let seconds: u16 = seconds.unwrap_or(RESPONSE_TIME);
    Ok(Duration::from_secs(seconds.into()))
}

impl Modem {
    /// How long the next byte of announced data is awaited.
    fn patience(
        &self,
        parameters: &mut Parameters<'_>,
        name: &'static str,
    ) -> Result<Duration, Refused> {
        let seconds = parameters.optional_integer::<u16>(name, 1, 65_535)?;
        let given = seconds.map(|seconds| Duration::from_secs(seconds.into()));
        Ok(given.unwrap_or(self.profile.limits.prompt_timeout))
    }

    fn ready_to_ask(&self) -> Result<(), Refused> {
        if self.http.exchange.is_some() {
            return Err(BUSY);
        }
        if self.http.url.is_none() {
            return Err(EMPTY_URL);
        }
        Ok(())
    }
}
