use std::net::IpAddr;

/// What a host name holds that belongs elsewhere; `None` if it is a name or an address.
pub(super) fn beside_a_name(host: &str) -> Option<&'static str> {
    if host.contains("://") {
        return Some("it is a URL");
    }
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address = address.unwrap_or(host);
    // Behind `%` stands the interface of a link-local address.
    let address = address
        .split_once('%')
        .map_or(address, |(address, _)| address);
    if address.parse::<IpAddr>().is_ok() {
        return None;
    }
    if host.contains(['/', '\\', '?', '#']) {
        return Some("it holds a path");
    }
    if host.contains('@') {
        return Some("it holds a user name");
    }
    if host.contains(':') {
        return Some("it holds a port");
    }
    let blank = host.contains(|c: char| c.is_whitespace() || c.is_control());
    blank.then_some("it holds a blank")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_from_what_holds_more() {
        for host in [
            "broker.example.com",
            "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com",
            "h",
            "under_score",
            "192.0.2.1",
            "::1",
            "[::1]",
            "fe80::1%eth0",
            "b\u{fc}cher.example",
        ] {
            assert_eq!(beside_a_name(host), None, "{host}");
        }
        for (host, what) in [
            ("mqtt://host", "it is a URL"),
            ("tcp://host:1883", "it is a URL"),
            ("host:1883", "it holds a port"),
            ("192.0.2.1:1883", "it holds a port"),
            ("[::1]:1883", "it holds a port"),
            ("host/x", "it holds a path"),
            ("host:8083/mqtt", "it holds a path"),
            ("user@host", "it holds a user name"),
            (" host", "it holds a blank"),
        ] {
            assert_eq!(beside_a_name(host), Some(what), "{host}");
        }
    }
}
