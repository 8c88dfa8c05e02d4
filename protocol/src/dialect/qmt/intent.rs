//! What a command asks for, in the words of those who watch.

use super::request::{Payload, Request};
use super::setting::Setting;
use crate::mqtt::{Change, Intent, Queried};

pub(super) fn of_request(request: &Request) -> Intent {
    match request.clone() {
        Request::Configure {
            connection,
            setting,
        } => Intent::Configure {
            connection,
            key: setting.key(),
            change: match setting {
                Setting::KeepAlive(seconds) => Change::KeepAlive(seconds),
                Setting::AliAuth { .. } => Change::Platform { alibaba: true },
                _ => Change::Other,
            },
            before_open: false,
        },
        Request::QuerySetting { connection, key } => Intent::Query {
            connection: Some(connection),
            what: Queried::Setting(key.name),
        },
        Request::Port(_) => Intent::Query {
            connection: None,
            what: Queried::Setting("urcport"),
        },
        Request::QueryOpen => query(Queried::Links),
        Request::QueryState => query(Queried::States),
        Request::QueryUnread => query(Queried::Unread),
        Request::Open {
            connection,
            host,
            port,
        } => Intent::Open {
            connection,
            host,
            port,
        },
        Request::Connect {
            connection,
            client_id,
            username,
            ..
        } => Intent::Connect {
            connection,
            client_id,
            username,
        },
        Request::Disconnect(connection) => Intent::Disconnect { connection },
        Request::Close(connection) => Intent::Close { connection },
        Request::Subscribe {
            connection,
            message_id,
            filters,
        } => Intent::Subscribe {
            connection,
            message_id: Some(message_id),
            filters,
        },
        Request::Unsubscribe {
            connection,
            message_id,
            filters,
        } => Intent::Unsubscribe {
            connection,
            message_id: Some(message_id),
            filters,
        },
        Request::Publish(publish, payload) => Intent::Publish {
            connection: publish.connection,
            message_id: Some(publish.message_id),
            qos: publish.qos,
            retain: publish.retain,
            topic: publish.topic,
            length: match &payload {
                // How many there are nobody knows yet.
                Payload::Ended => 0,
                Payload::Counted(length) => *length,
                Payload::Inline(payload) => payload.len(),
            },
            quote_inside: false,
        },
        Request::Read { connection, slot } => Intent::Read {
            connection,
            message_id: slot.unwrap_or_default().into(),
        },
    }
}

fn query(what: Queried) -> Intent {
    Intent::Query {
        connection: None,
        what,
    }
}
