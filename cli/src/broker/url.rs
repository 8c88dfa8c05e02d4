//! The URL of `-L`, as `mosquitto_pub` and `mosquitto_sub` read it: nothing in it is escaped.

use crate::failure::{Failure, FailureKind};

/// `mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]`
pub(super) struct BrokerUrl {
    pub(super) is_tls: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) topic: Option<String>,
}

impl BrokerUrl {
    /// Reads a URL. It may hold a password, so no error repeats it.
    pub(super) fn read(url: &str) -> Result<Self, Failure> {
        Self::parse(url).map_err(|why| {
            let form = "the form is mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC]";
            Failure::new(FailureKind::Usage, format!("the URL of -L {why}")).hint(form)
        })
    }

    fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("has no scheme")?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err("is neither mqtt:// nor mqtts://"),
        };
        let (place, topic) = match rest.split_once('/') {
            Some((place, topic)) => (place, Some(topic.to_owned())),
            None => (rest, None),
        };
        let (user, place) = match place.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, place),
        };
        let (username, password) = match user.map(|user| user.split_once(':').ok_or(user)) {
            Some(Ok((name, password))) => (Some(name.to_owned()), Some(password.to_owned())),
            Some(Err(name)) => (Some(name.to_owned()), None),
            None => (None, None),
        };
        // An address of IPv6 has colons, and stands in brackets for that.
        let (host, port) = match place.strip_prefix('[').and_then(|it| it.split_once(']')) {
            Some((host, port)) => (host, port),
            None => place.split_at(place.find(':').unwrap_or(place.len())),
        };
        if host.is_empty() {
            return Err("has no host");
        }
        let port = match port.strip_prefix(':').map(str::parse) {
            Some(Ok(port @ 1..)) => port,
            None if port.is_empty() => super::default_port(is_tls),
            _ => return Err("has a port outside of 1 to 65535"),
        };
        Ok(Self {
            is_tls,
            username,
            password,
            host: host.to_owned(),
            port,
            topic,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_parts_are_read_and_what_is_none_is_refused() {
        let parts = |url| {
            let url = BrokerUrl::parse(url).expect("a URL");
            let broker = format!("{} {}:{}", url.is_tls, url.host, url.port);
            (broker, url.username, url.password, url.topic)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            parts("mqtt://me:p:w@broker.example:1884/a/#"),
            (
                "false broker.example:1884".into(),
                some("me"),
                some("p:w"),
                some("a/#")
            )
        );
        assert_eq!(
            parts("MQTTS://me@h"),
            ("true h:8883".into(), some("me"), None, None)
        );
        assert_eq!(
            parts("mqtt://[2001:db8::1]/t"),
            ("false 2001:db8::1:1883".into(), None, None, some("t"))
        );
        for wrong in [
            "broker/t",
            "http://h/t",
            "mqtt:///t",
            "mqtt://h:0/t",
            "mqtt://h:x",
            "mqtt://u:s3cret@h:99999/t",
        ] {
            let told = BrokerUrl::read(wrong).err().expect("it is wrong");
            assert!(!told.to_string().contains("s3cret"), "{told}");
        }
    }
}
