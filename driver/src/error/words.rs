//! Facts in words, for messages.

use super::Reached;
use atmq_protocol::mqtt::{LinkStatus, OpenFailure, Reason, ReasonKind, Refusal};

pub(super) fn during(reached: Reached) -> &'static str {
    match reached {
        Reached::Waiting => "before",
        Reached::Written => "during",
        Reached::Accepted => "after it had taken",
    }
}

pub(super) fn silence_words(probes: u32, awaits: Option<usize>) -> String {
    match awaits {
        Some(1) => "the module may be waiting for 1 byte of data".into(),
        Some(bytes) => format!("the module may be waiting for {bytes} bytes of data"),
        None => format!("the module did not answer {probes} probes"),
    }
}

pub(super) fn remedy(awaits: Option<usize>) -> &'static str {
    match awaits {
        Some(_) => "; reset the module",
        None => "",
    }
}

pub(super) fn sent_again_words(sent_again: bool) -> &'static str {
    match sent_again {
        true => " and reported that it sent the packet again",
        false => "",
    }
}

pub(super) fn bytes(count: &Option<usize>) -> String {
    match count {
        Some(count) => format!("{count} bytes"),
        None => "nothing".into(),
    }
}

pub(super) fn reason_words(reason: Reason) -> String {
    let words = match reason.kind {
        ReasonKind::NotSent => ": it could not send the packet",
        ReasonKind::BadParameter => ": it found a bad parameter",
        _ => "",
    };
    format!("{words}{}", code_words(reason.code))
}

pub(super) fn code_words(code: Option<i32>) -> String {
    match code {
        None => String::new(),
        Some(code) => format!(" (code {code})"),
    }
}

pub(super) fn subscription_words(reason: Reason) -> String {
    match reason {
        Reason {
            code: None,
            kind: ReasonKind::Unknown,
            ..
        }
        | Reason {
            kind: ReasonKind::Refused,
            ..
        } => {
            format!(
                "the broker refused the subscription{}",
                code_words(reason.code)
            )
        }
        reason => format!(
            "the module did not change the subscription{}",
            reason_words(reason)
        ),
    }
}

pub(super) fn open_words(failure: OpenFailure) -> String {
    match failure {
        OpenFailure::Parameter => "a parameter is wrong".into(),
        OpenFailure::InUse => "the connection is in use".into(),
        OpenFailure::PdpActivation => "no packet data context".into(),
        OpenFailure::Tls => "TLS failed".into(),
        OpenFailure::Dns => "the host name cannot be resolved".into(),
        OpenFailure::Network => "the network is down or the host takes no connection".into(),
        OpenFailure::Other(Some(code)) => format!("code {code}"),
        OpenFailure::Other(None) => "no reason given".into(),
    }
}

pub(super) fn refusal_words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::ProtocolVersion => "it does not speak this version of MQTT",
        Refusal::Identifier => "it does not take the client id",
        Refusal::ServerUnavailable => "it is not available",
        Refusal::BadCredentials => "bad user name or password",
        Refusal::NotAuthorized => "not authorised",
        Refusal::Other(_) => "unknown reason",
    }
}

pub(super) fn status_words(status: LinkStatus, code: Option<i32>) -> String {
    let words = match status {
        LinkStatus::Fine => "nothing is wrong",
        LinkStatus::ClosedByServer => "closed or reset by the broker",
        LinkStatus::Address => "the address cannot be parsed",
        LinkStatus::Dns => "the host name cannot be resolved",
        LinkStatus::Protocol => "the broker broke the protocol",
        LinkStatus::Http => "HTTP error",
        LinkStatus::ConnectTimeout => "no connection in time",
        LinkStatus::ConnectFailed => "no connection",
        LinkStatus::Fatal => "fatal error",
        LinkStatus::Closed => "closed",
        LinkStatus::NeedMoreData => "more data needed",
        LinkStatus::CacheOverflow => "the module's cache is full",
        LinkStatus::Tls => "TLS failed",
        LinkStatus::Refused => "the broker refused the client",
        LinkStatus::PingTimeout => "the broker did not answer a ping",
        LinkStatus::Other(code) => return format!("status {code}"),
    };
    match code {
        Some(code) => format!("{words}, code {code}"),
        None => words.into(),
    }
}
