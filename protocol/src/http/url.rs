use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

/// Where a HTTP request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `https`
    pub tls: bool,
    /// Name or address; an IPv6 address in brackets.
    pub host: String,
    /// The scheme's, where none was given.
    pub port: u16,
    /// Path and query, at least `/`.
    pub path: String,
}

impl Url {
    /// Reads `http://host[:port][/path]` or `https://…`; `None` if it is neither. What stands
    /// behind `#` is not sent. A user name in front of the host is not taken.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let tls = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ => return None,
        };
        // Nothing in it may end the request's line.
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let behind_address = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[behind_address..].split_once(':') {
            Some((name, port)) => {
                let host = &authority[..behind_address + name.len()];
                (host, port.parse().ok().filter(|port| *port != 0)?)
            }
            None => (authority, if tls { 443 } else { 80 }),
        };
        if host.is_empty() || host.contains('@') || host.len() > 255 {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self {
            tls,
            host: host.to_owned(),
            port,
            path: format!("{slash}{path}"),
        })
    }

    /// The header `Host`: without the port where that is the scheme's.
    pub fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (text, tls, host, port, path) in [
            ("http://h", false, "h", 80, "/"),
            (
                "HTTPS://h.test:8443/a/b?c=d#e",
                true,
                "h.test",
                8443,
                "/a/b?c=d",
            ),
            ("http://h?c", false, "h", 80, "/?c"),
            ("http://[::1]/x", false, "[::1]", 80, "/x"),
            ("https://[::1]:99/", true, "[::1]", 99, "/"),
        ] {
            let url = Url::parse(text).unwrap();
            let expected = (tls, host, port, path);
            assert_eq!((url.tls, &*url.host, url.port, &*url.path), expected);
        }
        for text in [
            "",
            "h",
            "ftp://h",
            "http://",
            "http:///x",
            "http://:80/",
            "http://h:0/",
            "http://h:x/",
            "http://h/a b",
            "http://h/\r\nX: y",
            "http://u:p@h/",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_usual_port_is_not_told() {
        for (text, authority) in [
            ("http://h/", "h"),
            ("http://h:443/", "h:443"),
            ("https://h:443/", "h"),
        ] {
            assert_eq!(Url::parse(text).unwrap().authority(), authority);
        }
    }
}
