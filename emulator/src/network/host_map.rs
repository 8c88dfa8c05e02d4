use std::str::FromStr;

/// Where links really go: rules that send the host names burnt into firmware somewhere else.
///
/// The most specific rule wins: host and port, then host, then port, then everything; among equals
/// the first. Host names are compared without regard to case, before any name is resolved.
///
/// ```
/// use atmq_emulator::HostMap;
///
/// let map: HostMap = ["iot.example.com=localhost:1884".parse()?, "*=127.0.0.1:1883".parse()?]
///     .into_iter()
///     .collect();
/// assert_eq!(map.target("IOT.example.com", 8883), ("localhost", 1884));
/// assert_eq!(map.target("elsewhere.example.net", 8883), ("127.0.0.1", 1883));
/// # Ok::<(), atmq_emulator::HostRuleError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostMap {
    rules: Vec<HostRule>,
}

impl HostMap {
    /// A map that sends every link to one place.
    pub fn everything_to(host: impl Into<String>, port: u16) -> Self {
        HostRule {
            host: None,
            port: None,
            target: (host.into(), port),
        }
        .into()
    }

    /// Adds a rule behind the others.
    pub fn push(&mut self, rule: HostRule) {
        self.rules.push(rule);
    }

    /// Where a link to this host and port goes.
    pub fn target<'a>(&'a self, host: &'a str, port: u16) -> (&'a str, u16) {
        let mut best: Option<&HostRule> = None;
        for rule in self.rules.iter().filter(|rule| rule.matches(host, port)) {
            if best.is_none_or(|best| rule.specificity() > best.specificity()) {
                best = Some(rule);
            }
        }
        match best {
            Some(HostRule {
                target: (host, port),
                ..
            }) => (host, *port),
            None => (host, port),
        }
    }
}

impl From<HostRule> for HostMap {
    fn from(rule: HostRule) -> Self {
        Self { rules: vec![rule] }
    }
}

impl FromIterator<HostRule> for HostMap {
    fn from_iter<I: IntoIterator<Item = HostRule>>(rules: I) -> Self {
        Self {
            rules: rules.into_iter().collect(),
        }
    }
}

/// One rule of a [`HostMap`], written `HOST[:PORT]=HOST:PORT`. On its left side `*` is any host; an
/// IPv6 address stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    host: Option<String>,
    port: Option<u16>,
    target: (String, u16),
}

impl HostRule {
    fn matches(&self, host: &str, port: u16) -> bool {
        let same_host = |own: &String| own.eq_ignore_ascii_case(without_brackets(host));
        self.host.as_ref().is_none_or(same_host) && self.port.is_none_or(|own| own == port)
    }

    fn specificity(&self) -> (bool, bool) {
        (self.host.is_some(), self.port.is_some())
    }
}

impl FromStr for HostRule {
    type Err = HostRuleError;

    fn from_str(rule: &str) -> Result<Self, HostRuleError> {
        let (from, to) = rule
            .split_once('=')
            .ok_or_else(|| HostRuleError::NoTarget(rule.to_owned()))?;
        let (host, port) = host_and_port(from)?;
        let (target, target_port) = host_and_port(to)?;
        let target_port = target_port.ok_or_else(|| HostRuleError::NoTargetPort(to.to_owned()))?;
        if target == "*" {
            return Err(HostRuleError::TargetIsAny);
        }
        Ok(Self {
            host: (host != "*").then(|| host.to_owned()),
            port,
            target: (target.to_owned(), target_port),
        })
    }
}

/// Why a text is no [`HostRule`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostRuleError {
    /// There is no `=`.
    #[error("`{0}` does not say where the host is sent: write HOST[:PORT]=HOST:PORT")]
    NoTarget(String),
    /// The right side has no port.
    #[error("`{0}` has no port: write HOST[:PORT]=HOST:PORT")]
    NoTargetPort(String),
    /// The right side is `*`.
    #[error("`*` stands for any host and cannot be where a host is sent")]
    TargetIsAny,
    /// A host is missing.
    #[error("`{0}` has no host: write HOST[:PORT]=HOST:PORT")]
    NoHost(String),
    /// A host holds what no host holds.
    #[error("`{0}` is not a host name or address; an IPv6 address needs brackets")]
    BadHost(String),
    /// A port is not a number from 1 to 65535.
    #[error("`{0}` is not a port from 1 to 65535")]
    BadPort(String),
}

fn host_and_port(text: &str) -> Result<(&str, Option<u16>), HostRuleError> {
    let text = text.trim();
    let bad_host = || HostRuleError::BadHost(text.to_owned());
    let (host, rest) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').ok_or_else(bad_host)?,
        None if text.matches(':').count() > 1 => return Err(bad_host()),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    if host.is_empty() {
        return Err(HostRuleError::NoHost(text.to_owned()));
    }
    if host.contains(|c: char| c.is_whitespace() || c.is_control() || "[]/".contains(c)) {
        return Err(bad_host());
    }
    let port = match rest.strip_prefix(':') {
        Some(port) => Some(
            port.parse()
                .ok()
                .filter(|&port| port != 0)
                .ok_or_else(|| HostRuleError::BadPort(port.to_owned()))?,
        ),
        None if rest.is_empty() => None,
        None => return Err(bad_host()),
    };
    Ok((host, port))
}

pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rules: &[&str]) -> HostMap {
        rules.iter().map(|rule| rule.parse().expect(rule)).collect()
    }

    #[test]
    fn a_host_without_a_rule_goes_where_it_says() {
        assert_eq!(
            HostMap::default().target("a.example", 1883),
            ("a.example", 1883)
        );
        assert_eq!(
            map(&["b=c:1"]).target("a.example", 1883),
            ("a.example", 1883)
        );
        assert_eq!(
            map(&["example=c:1"]).target("a.example", 1883),
            ("a.example", 1883)
        );
    }

    #[test]
    fn the_most_specific_rule_wins() {
        let map = map(&[
            "*=all:1",
            "*:8883=tls:2",
            "A=host:3",
            "a:1883=both:4",
            "a=late:5",
        ]);
        assert_eq!(map.target("a", 1883), ("both", 4));
        assert_eq!(map.target("a", 8883), ("host", 3));
        assert_eq!(map.target("b", 8883), ("tls", 2));
        assert_eq!(map.target("b", 1883), ("all", 1));
    }

    #[test]
    fn everything_can_be_sent_to_one_place() {
        let map = HostMap::everything_to("127.0.0.1", 1883);
        assert_eq!(
            map,
            HostMap::from("*=127.0.0.1:1883".parse::<HostRule>().unwrap())
        );
        assert_eq!(map.target("anywhere", 1), ("127.0.0.1", 1883));
    }

    #[test]
    fn ipv6_addresses_stand_in_brackets() {
        let map = map(&["[::1]:1883=[fe80::2]:1884"]);
        assert_eq!(map.target("::1", 1883), ("fe80::2", 1884));
        assert_eq!(map.target("[::1]", 1883), ("fe80::2", 1884));
    }

    #[test]
    fn what_is_no_rule_is_explained() {
        let rows = [
            ("a.example", HostRuleError::NoTarget("a.example".into())),
            ("a=b", HostRuleError::NoTargetPort("b".into())),
            ("a=*:1", HostRuleError::TargetIsAny),
            ("=b:1", HostRuleError::NoHost(String::new())),
            ("a=:1883", HostRuleError::NoHost(":1883".into())),
            ("a=b:0", HostRuleError::BadPort("0".into())),
            ("a:65536=b:1", HostRuleError::BadPort("65536".into())),
            ("a=b:1=c:2", HostRuleError::BadHost("b:1=c:2".into())),
            ("::1=b:1", HostRuleError::BadHost("::1".into())),
            ("fe80::1=b:1", HostRuleError::BadHost("fe80::1".into())),
            ("[::1=b:1", HostRuleError::BadHost("[::1".into())),
            ("[::1]x=b:1", HostRuleError::BadHost("[::1]x".into())),
            ("a b=c:1", HostRuleError::BadHost("a b".into())),
            ("mqtt://a=c:1", HostRuleError::BadPort("//a".into())),
        ];
        for (rule, error) in rows {
            assert_eq!(rule.parse::<HostRule>(), Err(error), "{rule}");
        }
    }
}
