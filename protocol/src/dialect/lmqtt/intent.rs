//! What a command asks for, in the words of those who watch.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{DataFormat, FormatTable, PublishPayload, Request, Setting, config};
use crate::mqtt::{Change, Intent, Queried};

pub(super) fn of_request(request: &Request<'_>, formats: &FormatTable) -> Intent {
    match request {
        Request::Configure {
            connection,
            setting,
        } => Intent::Configure {
            connection: *connection,
            key: config::name(setting.key()),
            change: match setting {
                Setting::KeepAlive(seconds) => Change::KeepAlive(*seconds),
                Setting::AliAuth { .. } => Change::Platform { alibaba: true },
                Setting::Cloud { platform, .. } => Change::Platform {
                    alibaba: *platform == config::ALIBABA,
                },
                _ => Change::Other,
            },
            before_open: !config::may_follow_open(setting.key()),
        },
        Request::QuerySetting { connection, key } => Intent::Query {
            connection: Some(*connection),
            what: Queried::Setting(config::name(*key)),
        },
        Request::QueryOpen => query(Queried::Links),
        Request::QueryState => query(Queried::States),
        Request::QueryUnread => query(Queried::Unread),
        Request::QueryTls { context, .. } => query(Queried::Tls(*context)),
        Request::Open {
            connection,
            host,
            port,
        } => Intent::Open {
            connection: *connection,
            host: host.to_string(),
            port: *port,
        },
        Request::Connect {
            connection,
            client_id,
            username,
            ..
        } => Intent::Connect {
            connection: *connection,
            client_id: client_id.to_string(),
            username: username.as_ref().map(ToString::to_string),
        },
        Request::Disconnect { connection } => Intent::Disconnect {
            connection: *connection,
        },
        Request::Close { connection } => Intent::Close {
            connection: *connection,
        },
        Request::Subscribe {
            connection,
            message_id,
            filters,
        } => Intent::Subscribe {
            connection: *connection,
            message_id: Some(*message_id),
            filters: filters.clone(),
        },
        Request::Unsubscribe {
            connection,
            message_id,
            filters,
        } => Intent::Unsubscribe {
            connection: *connection,
            message_id: Some(*message_id),
            filters: filters.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        Request::Publish {
            connection,
            message_id,
            qos,
            retain,
            topic,
            payload,
            ..
        } => {
            let text = formats[*connection].send == DataFormat::Text;
            let (length, quote_inside) = match payload {
                PublishPayload::Inline(payload) => (payload.len(), text && payload.contains(&b'"')),
                PublishPayload::Prompted(length) => (*length, false),
            };
            Intent::Publish {
                connection: *connection,
                message_id: Some(*message_id),
                qos: *qos,
                retain: *retain,
                topic: topic.to_string(),
                length,
                quote_inside,
            }
        }
        Request::Read {
            connection,
            message_id,
        } => Intent::Read {
            connection: *connection,
            message_id: *message_id,
        },
        Request::ConfigureTls { context, .. } => Intent::ConfigureTls { context: *context },
        Request::Upload { name, length, .. } => Intent::Upload {
            name: name.to_string(),
            length: *length,
        },
    }
}

fn query(what: Queried) -> Intent {
    Intent::Query {
        connection: None,
        what,
    }
}
