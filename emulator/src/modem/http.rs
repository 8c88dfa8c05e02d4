//! `AT+LHTTP…`: a HTTP client. Of these commands the reference knows the names and one example
//! (`lmqtt.md` 1.10); parameters, results and error numbers are those of Quectel's `AT+QHTTP…`,
//! from general knowledge (inferred).

mod command;

use std::time::{Duration, Instant};

use atmq_protocol::commands::HTTP_KEYS;

use super::{Modem, Refused};
use crate::http::{Method, Request, Response, ResponseError, ResponseReader, Url};
use crate::network::{NetworkEvent, NetworkRequest, OpenFailure};

pub(super) use command::{configure, get, get_range, post, read, stop, take_url, tell_url};

/// The network's number for the link: behind those of the MQTT connections, 0 to 5.
pub(super) const HTTP_LINK: u8 = 6;

/// Another request is not done yet.
const BUSY: Refused = Refused::Cme(703);
const EMPTY_URL: Refused = Refused::Cme(712);
const BAD_URL: Refused = Refused::Cme(711);
/// The bytes did not come in time.
pub(super) const INPUT_TIMEOUT: Refused = Refused::Cme(726);

/// Why a request failed, as the result URC tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Deactivated = 709,
    Network = 710,
    Dns = 714,
    Connect = 716,
    Closed = 719,
    Decode = 721,
    ResponseTimeout = 728,
    Memory = 729,
}

/// What bytes of the host are for.
#[derive(Debug, Clone, Copy)]
pub(super) enum HttpUpload {
    Url,
    Request { method: Method, patience: Duration },
}

/// The HTTP client's settings, and what it is doing. All of it is gone after a reboot.
#[derive(Debug, Default)]
pub(super) struct Http {
    settings: HttpSettings,
    url: Option<(String, Url)>,
    exchange: Option<Exchange>,
    response: Option<Response>,
}

/// `AT+LHTTPCFG`: the value of each key, in the order of the table of commands.
#[derive(Debug)]
struct HttpSettings([u8; HTTP_KEYS.len()]);

impl Default for HttpSettings {
    fn default() -> Self {
        Self([1, 0, 0, 0, 0])
    }
}

impl HttpSettings {
    fn context(&self) -> u8 {
        self.0[0]
    }

    /// The host writes the heads of requests itself.
    fn request_header(&self) -> bool {
        self.0[1] == 1
    }

    /// The host reads the heads of responses, too.
    fn response_header(&self) -> bool {
        self.0[2] == 1
    }

    fn tls_context(&self) -> u8 {
        self.0[3]
    }

    fn content_type(&self) -> &'static str {
        HTTP_KEYS[4].values[0].values[usize::from(self.0[4])].1
    }
}

/// A request on its way.
#[derive(Debug)]
struct Exchange {
    /// What the result URC is called.
    name: &'static str,
    /// What is sent once the link stands.
    request: Vec<u8>,
    reader: ResponseReader,
    give_up: Instant,
    /// Before this moment nothing is reported.
    outcome_from: Instant,
}

impl Http {
    /// When the answer is given up.
    pub(super) fn due(&self) -> Option<Instant> {
        self.exchange.as_ref().map(|exchange| exchange.give_up)
    }
}

impl Modem {
    /// The bytes behind `CONNECT` have come.
    pub(super) fn http_uploaded(
        &mut self,
        what: HttpUpload,
        bytes: Vec<u8>,
        now: Instant,
    ) -> Result<(), Refused> {
        match what {
            HttpUpload::Url => {
                let text = String::from_utf8(bytes).map_err(|_| BAD_URL)?;
                let url = Url::parse(&text).ok_or(BAD_URL)?;
                self.http.url = Some((text, url));
                Ok(())
            }
            HttpUpload::Request { method, patience } => {
                let name = match method {
                    Method::Get => "+LHTTPGET",
                    Method::Post => "+LHTTPPOST",
                };
                self.ask(name, method, None, &bytes, patience, now)
            }
        }
    }

    /// Has the link made, on which the request is sent.
    fn ask(
        &mut self,
        name: &'static str,
        method: Method,
        range: Option<(u64, u64)>,
        data: &[u8],
        patience: Duration,
        now: Instant,
    ) -> Result<(), Refused> {
        let (_, url) = self.http.url.as_ref().ok_or(EMPTY_URL)?;
        let settings = &self.http.settings;
        let own_head = settings.request_header() && !data.is_empty();
        let request = if own_head {
            data.to_vec()
        } else {
            let request = Request {
                method,
                url,
                agent: &self.profile.identity.model,
                range,
                content_type: settings.content_type(),
                body: data,
            };
            request.encode()
        };
        let open = NetworkRequest::Open {
            link: HTTP_LINK,
            host: url.host.clone(),
            port: url.port,
            tls: url
                .tls
                .then(|| self.store.tls_options(settings.tls_context())),
        };
        let active = self.is_active(settings.context());
        let latency = self.profile.latency.result;
        let outcome_from = now + self.spread(latency);
        self.http.response = None;
        self.http.exchange = Some(Exchange {
            name,
            request,
            reader: ResponseReader::default(),
            give_up: now + patience,
            outcome_from,
        });
        if active {
            self.network.push_back(open);
        } else {
            self.http_failed(Failure::Deactivated, now);
        }
        Ok(())
    }

    /// What has happened on the link of a request.
    pub(super) fn http_event(&mut self, event: NetworkEvent, now: Instant) {
        let Some(exchange) = &mut self.http.exchange else {
            return;
        };
        let answer = match event {
            NetworkEvent::Opened { link } => {
                let bytes = std::mem::take(&mut exchange.request);
                self.network.push_back(NetworkRequest::Send { link, bytes });
                return;
            }
            NetworkEvent::OpenFailed { link, reason } => {
                self.log_failure(link, &reason, now);
                let failure = match reason {
                    OpenFailure::Resolve => Failure::Dns,
                    OpenFailure::Tls(_) => Failure::Network,
                    _ => Failure::Connect,
                };
                return self.http_failed(failure, now);
            }
            NetworkEvent::Received { bytes, .. } => exchange.reader.receive(&bytes),
            NetworkEvent::Drained { .. } => return,
            NetworkEvent::Closed { .. } => exchange.reader.finish().map(Some),
        };
        match answer {
            Ok(None) => {}
            Ok(Some(response)) => self.http_answered(response, now),
            Err(error) => {
                tracing::debug!(%error, "no response");
                self.http_failed(
                    match error {
                        ResponseError::Malformed | ResponseError::HeadTooLong => Failure::Decode,
                        ResponseError::BodyTooLong => Failure::Memory,
                        ResponseError::Truncated => Failure::Closed,
                    },
                    now,
                );
            }
        }
    }

    /// Gives up a request that is not answered.
    pub(super) fn http_timeout(&mut self, now: Instant) {
        if self.http.due().is_some_and(|due| due <= now) {
            self.http_failed(Failure::ResponseTimeout, now);
        }
    }

    /// The network is gone, or one packet data context.
    pub(super) fn drop_http(&mut self, cid: Option<u8>, now: Instant) {
        if cid.is_none_or(|cid| cid == self.http.settings.context()) {
            self.http_failed(Failure::Deactivated, now);
        }
    }

    /// `+LHTTPGET: 0,<code>[,<content length>]`
    fn http_answered(&mut self, response: Response, now: Instant) {
        let Some(exchange) = self.http.exchange.take() else {
            return;
        };
        let mut line = format!("{}: 0,{}", exchange.name, response.code);
        if let Some(length) = response.length {
            line += &format!(",{length}");
        }
        self.http.response = Some(response);
        self.close_http();
        self.urc(exchange.outcome_from.max(now), line.as_bytes());
    }

    /// `+LHTTPGET: <err>`
    fn http_failed(&mut self, failure: Failure, now: Instant) {
        let Some(exchange) = self.http.exchange.take() else {
            return;
        };
        self.close_http();
        let line = format!("{}: {}", exchange.name, failure as u16);
        self.urc(exchange.outcome_from.max(now), line.as_bytes());
    }

    fn close_http(&mut self) {
        let link = HTTP_LINK;
        self.network.push_back(NetworkRequest::Close { link });
    }
}
