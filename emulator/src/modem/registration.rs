//! Dynamic registration of an Alibaba Cloud device, within the CONN of the host (read in ECMT
//! source, inferred for LMQTT; reference `clouds.md` 5).
//!
//! The device connects with its product's secret, is sent its own without having subscribed to
//! anything, disconnects, and connects anew on a new link.

use std::time::{Duration, Instant};

use atmq_protocol::cloud::aliyun::Registered;
use atmq_protocol::mqtt::{Connected, ConnectionId, LinkStatus, Reason};

use super::config::named;
use super::connection::{Link, Purpose};
use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{ConnectOptions, Message};
use crate::network::NetworkRequest;

/// How long the platform's answer may take. Ours: a third of what the manual allows CONN.
const PATIENCE: Duration = Duration::from_secs(10);

impl Modem {
    /// Begins the registration. The platform takes it over TLS only.
    pub(super) fn register(
        &mut self,
        id: ConnectionId,
        options: ConnectOptions,
        client_id: &str,
        now: Instant,
    ) -> Result<(), Refused> {
        if self.connection(id).config.tls_context().is_none() {
            return Err(NOT_ALLOWED);
        }
        let purpose = Purpose::Registration {
            client_id: client_id.to_owned(),
            give_up: now + PATIENCE,
        };
        self.begin_session(id, options, purpose, now)
    }

    /// Takes what the platform sends to a device that registers.
    pub(super) fn registration_message(&mut self, id: ConnectionId, message: &Message) {
        let connection = &mut self.connections[usize::from(id.0)];
        let Link::Mqtt {
            client,
            purpose: Purpose::Registration { client_id, .. },
            ..
        } = &mut connection.link
        else {
            return;
        };
        let Some(device) = connection.config.device() else {
            return;
        };
        let registered = match Registered::parse(&named(device), &message.topic, &message.payload) {
            Ok(registered) => registered,
            Err(error) => {
                tracing::debug!(topic = message.topic, %error, "no answer to the registration");
                return;
            }
        };
        client.disconnect();
        let client_id = std::mem::take(client_id);
        let method = self.profile.quirks.sign_method;
        let options = Box::new(connection.config.connect_options(
            &client_id,
            None,
            None,
            Some(&registered),
            method,
        ));
        self.store.remember(device, registered);
        self.send_queued(id);
        self.network.push_back(NetworkRequest::Close { link: id.0 });
        self.connection(id).link = Link::Reopening {
            options,
            purpose: Purpose::Asked,
        };
        self.request_link(id);
    }

    /// When the next registration is given up.
    pub(super) fn registrations_due(&self) -> Option<Instant> {
        let due = self
            .connections
            .iter()
            .filter_map(|connection| match &connection.link {
                Link::Mqtt {
                    purpose: Purpose::Registration { give_up, .. },
                    ..
                } => Some(*give_up),
                _ => None,
            });
        due.min()
    }

    /// Gives up the registrations that the platform has not answered.
    pub(super) fn registrations_timeout(&mut self, now: Instant) {
        for id in self.ids() {
            let late = matches!(
                &self.connection(id).link,
                Link::Mqtt { purpose: Purpose::Registration { give_up, .. }, .. } if *give_up <= now
            );
            if late {
                self.report_connected(id, Connected::Failed(Reason::NONE), now);
                self.network.push_back(NetworkRequest::Close { link: id.0 });
                self.free(id);
                self.report_status(id, LinkStatus::Closed, None, now);
            }
        }
    }
}
