//! The HTTP client: carries requests over a link of their own.

use std::time::Instant;

use atmq_protocol::dialect::Event;
use atmq_protocol::http::{Failure, Request, Response};

use super::Modem;
use super::faces::Whose;
use crate::http::{ResponseError, ResponseReader, encode};
use crate::network::{NetworkEvent, NetworkRequest, OpenFailure};

/// The network's number for the link: behind those of the MQTT connections, 0 to 5.
pub(super) const HTTP_LINK: u8 = 6;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Exchange {
    whose: Whose,
    /// The packet data context that it goes over.
    cid: u8,
    /// What is sent once the link stands.
    request: Vec<u8>,
    reader: ResponseReader,
    /// When the answer is given up.
    pub(super) give_up: Instant,
    /// Before this moment nothing is reported.
    outcome_from: Instant,
}

impl Modem {
    /// Has the link made, on which the request is sent.
    pub(super) fn request(&mut self, whose: Whose, request: Request, now: Instant) {
        let open = NetworkRequest::Open {
            link: HTTP_LINK,
            host: request.url.host.clone(),
            port: request.url.port,
            tls: request.url.tls.then(|| self.store.tls_options(request.tls)),
        };
        let latency = self.profile.latency.result;
        let outcome_from = now + self.spread(latency);
        self.http = Some(Exchange {
            whose,
            cid: request.cid,
            give_up: now + request.patience,
            request: encode(request, &self.profile.identity.model),
            reader: ResponseReader::default(),
            outcome_from,
        });
        let active = self
            .http
            .as_ref()
            .is_some_and(|http| self.is_active(http.cid));
        if active {
            self.network.push_back(open);
        } else {
            self.http_ended(Err(Failure::Deactivated), now);
        }
    }

    /// What has happened on the link of a request.
    pub(super) fn http_event(&mut self, event: NetworkEvent, now: Instant) {
        let Some(exchange) = &mut self.http else {
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
                    OpenFailure::Resolve => Failure::Resolve,
                    OpenFailure::Tls(_) => Failure::Tls,
                    _ => Failure::Connect,
                };
                return self.http_ended(Err(failure), now);
            }
            NetworkEvent::Received { bytes, .. } => exchange.reader.receive(&bytes),
            NetworkEvent::Drained { .. } => return,
            NetworkEvent::Closed { .. } => exchange.reader.finish().map(Some),
        };
        match answer {
            Ok(None) => {}
            Ok(Some(response)) => self.http_ended(Ok(response), now),
            Err(error) => {
                tracing::debug!(%error, "no response");
                let failure = match error {
                    ResponseError::Malformed | ResponseError::HeadTooLong => Failure::Malformed,
                    ResponseError::BodyTooLong => Failure::TooLong,
                    ResponseError::Truncated => Failure::Closed,
                };
                self.http_ended(Err(failure), now);
            }
        }
    }

    /// Gives up a request that is not answered.
    pub(super) fn http_timeout(&mut self, now: Instant) {
        if self.http.as_ref().is_some_and(|http| http.give_up <= now) {
            self.http_ended(Err(Failure::TimedOut), now);
        }
    }

    /// The network is gone, or one packet data context.
    pub(super) fn drop_http(&mut self, cid: Option<u8>, now: Instant) {
        let lost = |http: &Exchange| cid.is_none_or(|cid| cid == http.cid);
        if self.http.as_ref().is_some_and(lost) {
            self.http_ended(Err(Failure::Deactivated), now);
        }
    }

    fn http_ended(&mut self, result: Result<Response, Failure>, now: Instant) {
        if let Some(exchange) = self.drop_request() {
            self.announce_from = exchange.outcome_from;
            self.notice(exchange.whose, Event::Response(result), now);
        }
    }

    /// Nothing is told of the request any more.
    pub(super) fn drop_request(&mut self) -> Option<Exchange> {
        let exchange = self.http.take()?;
        let link = HTTP_LINK;
        self.network.push_back(NetworkRequest::Close { link });
        Some(exchange)
    }
}
