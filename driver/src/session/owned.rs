//! Information responses that outlive the line they were read from.

use std::borrow::Cow;

use atmq_protocol::mqtt::{Information, Setting};

pub(super) fn information(information: Information<'_>) -> Information<'static> {
    match information {
        Information::Setting(value) => Information::Setting(setting(value)),
        Information::Opened {
            connection,
            host,
            port,
        } => Information::Opened {
            connection,
            host: text(host),
            port,
        },
        Information::State { connection, state } => Information::State { connection, state },
        Information::Message {
            connection,
            message_id,
            topic,
            payload,
        } => Information::Message {
            connection,
            message_id,
            topic: text(topic),
            payload: Cow::Owned(payload.into_owned()),
        },
        Information::Unread {
            connection,
            message_ids,
        } => Information::Unread {
            connection,
            message_ids,
        },
        Information::TlsSetting { context, setting } => Information::TlsSetting {
            context,
            setting: setting.into_owned(),
        },
    }
}

fn setting(setting: Setting<'_>) -> Setting<'static> {
    match setting {
        Setting::AliAuth {
            product_key,
            device_name,
            device_secret,
        } => Setting::AliAuth {
            product_key: text(product_key),
            device_name: text(device_name),
            device_secret: device_secret.into_owned(),
        },
        Setting::AliDevice(device) => Setting::AliDevice(device.into_owned()),
        Setting::QuickRelease(on) => Setting::QuickRelease(on),
        Setting::PdpContext(cid) => Setting::PdpContext(cid),
        Setting::Will(will) => Setting::Will(will),
        Setting::Version(version) => Setting::Version(version),
        Setting::CleanSession(on) => Setting::CleanSession(on),
        Setting::KeepAlive(seconds) => Setting::KeepAlive(seconds),
        Setting::Timeouts(timeouts) => Setting::Timeouts(timeouts),
        Setting::ReceiveMode {
            format,
            show_length,
        } => Setting::ReceiveMode {
            format,
            show_length,
        },
        Setting::SendMode(format) => Setting::SendMode(format),
        Setting::DataFormats { send, receive } => Setting::DataFormats { send, receive },
        Setting::Cache(on) => Setting::Cache(on),
        Setting::ResultUrcs(on) => Setting::ResultUrcs(on),
        Setting::Cloud {
            platform,
            data_type,
        } => Setting::Cloud {
            platform,
            data_type,
        },
        Setting::Tls { enabled, context } => Setting::Tls { enabled, context },
    }
}

fn text(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
