//! The numbers by which the modules tell what went wrong, and what they mean (reference `cmqtt.md`
//! 6).

use crate::mqtt::{Connected, LinkStatus, OpenFailure, PublishResult, Reason, ReasonKind, Refusal};
use crate::spec::{Code, Codes, Source};

/// Every place where numbers have a meaning of their own.
pub(super) const ALL: &[&Codes] = &[&RESULTS, &CAUSES];

pub(super) const DONE: i32 = 0;
pub(super) const FAILED: i32 = 1;
pub(super) const BAD_UTF8: i32 = 2;
const NO_LINK: i32 = 3;
const RECEIVE_FAILED: i32 = 6;
pub(super) const NO_NETWORK: i32 = 7;
pub(super) const NOT_STARTED: i32 = 9;
pub(super) const NOT_CONNECTED: i32 = 11;
pub(super) const PARAMETER: i32 = 12;
pub(super) const BUSY: i32 = 14;
pub(super) const NOT_SENT: i32 = 16;
pub(super) const TIMEOUT: i32 = 17;
pub(super) const NO_TOPIC: i32 = 18;
pub(super) const USED: i32 = 19;
pub(super) const NOT_ACQUIRED: i32 = 20;
pub(super) const NOT_RELEASED: i32 = 21;
pub(super) const LENGTH: i32 = 22;
pub(super) const STARTED: i32 = 23;
const PACKET: i32 = 24;
const DNS: i32 = 25;
const CLOSED: i32 = 26;
/// 27 to 31 are the return codes 1 to 5 of CONNACK.
const REFUSED: i32 = 26;
const TLS: i32 = 32;

/// What came of a command.
#[rustfmt::skip]
pub(super) const RESULTS: Codes = Codes {
    name: "CMQTT",
    what: "a result of a command of the MQTT service (err of +CMQTT…)",
    codes: &[
        Code::new(0, "done", ""),
        Code::new(1, "failed", ""),
        Code::new(2, "topic or payload is not UTF-8", "AT+CMQTTCFG=\"checkUTF8\",<client>,0 takes any bytes"),
        Code::new(3, "the link to the broker could not be made", "check host, port and firewall"),
        Code::new(4, "no socket", "close other connections"),
        Code::new(5, "the socket could not be closed", ""),
        Code::new(6, "receiving failed", "does the broker forbid the topic?"),
        Code::new(7, "the network could not be opened",
            "check registration (AT+CEREG?) and access point (AT+CGDCONT?)"),
        Code::new(8, "the network could not be closed", ""),
        Code::new(9, "the network is not opened", "start the service: AT+CMQTTSTART"),
        Code::new(10, "there is no such client", "they are 0 and 1"),
        Code::new(11, "not connected", "AT+CMQTTCONNECT connects"),
        Code::new(12, "a parameter is wrong", "`atmq explain` of the command shows what it takes"),
        Code::new(13, "not supported", ""),
        Code::new(14, "busy", "wait for the report of the command before"),
        Code::new(15, "a connection is required", "AT+CMQTTCONNECT connects"),
        Code::new(16, "sending failed", ""),
        Code::new(17, "the broker did not answer in time", ""),
        Code::new(18, "there is no topic", "give it with AT+CMQTTTOPIC, before each message"),
        Code::new(19, "the client is used already", "release it: AT+CMQTTREL"),
        Code::new(20, "the client is not acquired", "AT+CMQTTACCQ acquires it"),
        Code::new(21, "a client is not released", "release both: AT+CMQTTREL"),
        Code::new(22, "the length is out of range", ""),
        Code::new(23, "the network is opened already", "the service runs, go on with AT+CMQTTACCQ"),
        Code::new(24, "the packet could not be made or read", ""),
        Code::new(25, "the host name could not be resolved", "check the name"),
        Code::new(26, "the broker closed the link",
            "is it an MQTT broker, and the port not a TLS port?"),
        Code::new(27, "the broker does not speak this version of MQTT", ""),
        Code::new(28, "the broker does not allow this client id", "choose another"),
        Code::new(29, "the broker is not available", "try later"),
        Code::new(30, "wrong user name or password", "check both"),
        Code::new(31, "not authorised", "check user name, password and the broker's rules"),
        Code::new(32, "the TLS handshake failed",
            "check certificates and clock; does the broker want its name (AT+CSSLCFG=\"enableSNI\",<ctx>,1)?"),
        Code::new(33, "no certificate is set", "AT+CSSLCFG=\"cacert\",<ctx>,\"<file>\""),
        Code::new(34, "the TLS session could not be opened", "check the TLS context: AT+CSSLCFG?"),
        Code::new(35, "disconnecting failed", ""),
    ],
    source: Source::documented("reference cmqtt.md 6"),
};

/// Why a connection was lost.
#[rustfmt::skip]
const CAUSES: Codes = Codes {
    name: "CONNLOST",
    what: "a cause of a lost connection (cause of +CMQTTCONNLOST)",
    codes: &[
        Code::new(1, "the broker closed the link",
            "connect and subscribe again; does another client use the same client id, was the keepalive missed?"),
        Code::new(2, "the broker reset the link", "connect and subscribe again"),
        Code::new(3, "the network was closed", "start the service again: AT+CMQTTSTART"),
    ],
    source: Source::documented("reference cmqtt.md 5"),
};

/// What a result is that is not [`DONE`].
pub(super) fn reason(code: i32) -> Reason {
    let kind = match code {
        BAD_UTF8 | 10 | PARAMETER | 13 | NO_TOPIC | LENGTH => ReasonKind::BadParameter,
        NOT_STARTED | NOT_CONNECTED | BUSY | 15 | NOT_ACQUIRED => ReasonKind::NotSent,
        27..=31 => ReasonKind::Refused,
        _ => ReasonKind::Unknown,
    };
    Reason::new(kind, Some(code))
}

/// Done, or why not.
pub(super) fn result(code: i32) -> Result<(), Reason> {
    match code {
        DONE => Ok(()),
        code => Err(reason(code)),
    }
}

/// The number that stands for a reason; `unknown` where that tells nothing.
pub(super) fn of_reason(reason: Reason, unknown: i32) -> i32 {
    reason.code.unwrap_or(match reason.kind {
        ReasonKind::NotSent => NOT_SENT,
        ReasonKind::BadParameter => PARAMETER,
        _ => unknown,
    })
}

/// What a result of CONNECT says.
pub(super) fn connected(code: i32) -> Connected {
    match code {
        DONE => Connected::Accepted,
        // At most 5.
        27..=31 => Connected::Refused(Refusal::from_code((code - REFUSED) as u8)),
        code => Connected::Failed(reason(code)),
    }
}

/// The number that stands for what came of a CONNECT.
pub(super) fn of_connected(result: Connected) -> i32 {
    match result {
        Connected::Accepted => DONE,
        Connected::Refused(Refusal::Other(_)) => PACKET,
        Connected::Refused(refusal) => REFUSED + i32::from(refusal.code()),
        Connected::Failed(reason) => of_reason(reason, TIMEOUT),
        Connected::Retransmitted(_) => TIMEOUT,
    }
}

/// Why there was no link, if that is what a result of CONNECT says.
pub(super) fn open_failure(code: i32) -> Option<OpenFailure> {
    Some(match code {
        NO_LINK | 4 => OpenFailure::Network,
        NO_NETWORK | NOT_STARTED => OpenFailure::PdpActivation,
        DNS => OpenFailure::Dns,
        TLS..=34 => OpenFailure::Tls,
        _ => return None,
    })
}

/// The number that stands for why there was no link.
pub(super) fn of_open_failure(failure: OpenFailure) -> i32 {
    match failure {
        OpenFailure::Parameter => PARAMETER,
        OpenFailure::InUse => USED,
        OpenFailure::PdpActivation => NOT_STARTED,
        OpenFailure::Dns => DNS,
        OpenFailure::Network | OpenFailure::Other(None) => NO_LINK,
        OpenFailure::Tls => TLS,
        OpenFailure::Other(Some(code)) => code,
    }
}

/// What a result of PUB says. Which of them prove that nothing was sent is inferred: those that
/// can be told without sending.
pub(super) fn published(code: i32) -> (PublishResult, Reason) {
    match code {
        DONE => (PublishResult::Done, Reason::NONE),
        TIMEOUT => (PublishResult::WrongAcknowledgement, reason(code)),
        code => (PublishResult::NotSent, reason(code)),
    }
}

/// Whether a publish that failed for this reason has not left the module.
pub(super) fn is_unsent(reason: Reason) -> bool {
    matches!(reason.kind, ReasonKind::BadParameter | ReasonKind::NotSent)
}

/// The number that stands for what came of a publish.
pub(super) fn of_published(result: PublishResult, reason: Reason) -> i32 {
    match result {
        PublishResult::Done => DONE,
        PublishResult::WrongAcknowledgement => of_reason(reason, TIMEOUT),
        PublishResult::NotSent => of_reason(reason, NOT_SENT),
    }
}

/// What is reported of a command whose link is lost meanwhile: 6, with which a broker was seen to
/// close the link instead of acknowledging.
pub(super) const LOST: Reason = Reason::new(ReasonKind::Unknown, Some(RECEIVE_FAILED));

/// What is reported of a CONNECT whose link is closed before its answer.
pub(super) const NOT_ANSWERED: Reason = Reason::new(ReasonKind::Unknown, Some(CLOSED));

/// What a cause of a lost connection says.
pub(super) fn status(cause: i32) -> LinkStatus {
    match cause {
        1 | 2 => LinkStatus::ClosedByServer,
        3 => LinkStatus::Closed,
        _ => LinkStatus::Other(u8::try_from(cause).unwrap_or(u8::MAX)),
    }
}

/// The cause that stands for what has become of a link.
pub(super) fn cause(status: LinkStatus) -> i32 {
    match status {
        LinkStatus::Closed => 3,
        LinkStatus::ClosedByServer | LinkStatus::PingTimeout => 1,
        _ => 2,
    }
}
