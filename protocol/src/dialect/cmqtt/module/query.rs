//! What the read forms answer.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::table::{ACCQ, CFG, CONNECT, DISC, SSLCFG, SUB};
use super::CmqttModule;
use crate::Secret;
use crate::dialect::Act;
use crate::mqtt::ConnectionId;

impl CmqttModule {
    /// A line for each client, but for REL, which has none.
    pub(super) fn answer(&mut self, name: &str, acts: &mut Vec<Act>) {
        if name == SUB {
            return self.list_topics(acts);
        }
        let lines = self.ids().filter_map(|id| self.line(name, id));
        acts.extend(lines.map(|line| Act::Say(line.into_bytes())));
    }

    fn line(&self, name: &str, id: ConnectionId) -> Option<String> {
        let client = &self.clients[usize::from(id.0)];
        Some(match name {
            ACCQ => match &client.acquired {
                Some(acquired) => format!(
                    "{ACCQ}: {id},\"{}\",{}",
                    acquired.client_id,
                    u8::from(acquired.secured)
                ),
                None => format!("{ACCQ}: {id},\"\",0"),
            },
            SSLCFG => format!("{SSLCFG}: {id},{}", client.context.unwrap_or(id.0)),
            DISC => format!("{DISC}: {id},{}", u8::from(!client.connected)),
            CFG => {
                let settings = &client.settings;
                let check = u8::from(settings.check_utf8);
                format!("{CFG}: {id},{check},{}", settings.timeout)
            }
            "scid" => format!(
                "{CFG}: \"SCID\",{id},{}",
                client.settings.cid.unwrap_or(self.cid)
            ),
            CONNECT => match client.peer.as_ref().filter(|_| client.connected) {
                None => format!("{CONNECT}: {id}"),
                Some(peer) => {
                    let clean = u8::from(peer.clean_session);
                    let mut line = format!(
                        "{CONNECT}: {id},\"{}\",{},{clean}",
                        peer.url, peer.keep_alive
                    );
                    let password = peer.password.as_ref().map(Secret::expose);
                    for text in peer.username.as_deref().into_iter().chain(password) {
                        line.push_str(&format!(",\"{text}\""));
                    }
                    line
                }
            },
            _ => return None,
        })
    }

    /// How the topics stand behind the name is not known (inferred: a line each).
    fn list_topics(&self, acts: &mut Vec<Act>) {
        acts.push(Act::Say(format!("{SUB}:").into_bytes()));
        for (client, id) in self.clients.iter().zip(self.ids()) {
            let lines = client.subscribed.iter();
            acts.extend(lines.map(|topic| Act::Say(format!("{id},\"{topic}\"").into_bytes())));
        }
    }
}
