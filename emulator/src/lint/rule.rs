use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The host should know.
    Note,
    /// Hardware may punish it.
    Warning,
    /// The manual forbids it, or the module cannot do what the host wants.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What a host is not to do. `docs/lint.md` explains each rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "each is documented by its sentence, in the table"
)]
pub enum Rule {
    BootNotAwaited,
    CloseWithoutOpen,
    CommandBeforeFinalResult,
    CommandInData,
    ConfigurationDiffers,
    ConfigurationLost,
    ControlCharacterInCommand,
    CtrlZAfterPayload,
    GarbageBetweenCommands,
    HostNotAName,
    KeepaliveOutOfRange,
    LineFeedOnly,
    LineTooLong,
    MessageIdInFlight,
    MessageIdWithQos0,
    MessageIdZero,
    NotConnected,
    OutcomeNotAwaited,
    PayloadLengthMismatch,
    PayloadTooLong,
    PayloadTooShort,
    PollingTooFast,
    PromptNotAwaited,
    QuoteInPayload,
    ReceiveWithoutLength,
    SettingAfterOpen,
    WakeNotAwaited,
}

/// Rule, id, severity, sentence, section of the reference; in the order of [`Rule`].
#[rustfmt::skip]
const TABLE: [(Rule, &str, Severity, &str, &str); 27] = [
    (Rule::BootNotAwaited, "boot-not-awaited", Severity::Error,
        "the host sends before the module has started", "lmqtt.md 1.10"),
    (Rule::CloseWithoutOpen, "close-without-open", Severity::Note,
        "the host closes a connection that is not open, and does not open it then", "lmqtt.md 1.4"),
    (Rule::CommandBeforeFinalResult, "command-before-final-result", Severity::Error,
        "a command comes before the final result of the one before it", "lmqtt.md 1.1"),
    (Rule::CommandInData, "command-in-data", Severity::Note,
        "what looks like a command was taken for data or for a value", "lmqtt.md 1.7"),
    (Rule::ConfigurationDiffers, "configuration-differs", Severity::Note,
        "the connection is opened without some of the settings of the one before it", "lmqtt.md 1.3"),
    (Rule::ConfigurationLost, "configuration-lost", Severity::Error,
        "the connection is opened without any of the settings that were lost with the one before it", "lmqtt.md 1.3"),
    (Rule::ControlCharacterInCommand, "control-character-in-command", Severity::Warning,
        "control characters in a command edit it, or are not what the module takes", "V.250 5.2.2"),
    (Rule::CtrlZAfterPayload, "ctrl-z-after-payload", Severity::Warning,
        "a Ctrl-Z follows a payload whose length was announced", "lmqtt.md 1.7"),
    (Rule::GarbageBetweenCommands, "garbage-between-commands", Severity::Warning,
        "there are bytes that belong to no command", "lmqtt.md 1.1"),
    (Rule::HostNotAName, "host-not-a-name", Severity::Error,
        "the host name of OPEN is no name or address alone", "lmqtt.md 1.4"),
    (Rule::KeepaliveOutOfRange, "keepalive-out-of-range", Severity::Error,
        "the keepalive is outside of what the platform accepts", "clouds.md 5"),
    (Rule::LineFeedOnly, "line-feed-only", Severity::Error,
        "a line feed ends no command, a carriage return does", "lmqtt.md 1.1"),
    (Rule::LineTooLong, "line-too-long", Severity::Error,
        "the command line does not fit into the module's buffer", "lmqtt.md 1.2"),
    (Rule::MessageIdInFlight, "message-id-in-flight", Severity::Error,
        "the message id is that of a packet which is not acknowledged yet", "lmqtt.md 1.7"),
    (Rule::MessageIdWithQos0, "message-id-with-qos-0", Severity::Warning,
        "the message id of a publish with QoS 0 must be 0", "README.md, S"),
    (Rule::MessageIdZero, "message-id-zero", Severity::Warning,
        "the message id of a publish with QoS 1 or 2 must not be 0", "lmqtt.md 1.2"),
    (Rule::NotConnected, "not-connected", Severity::Error,
        "the command needs a connection that does not stand", "lmqtt.md 1.6"),
    (Rule::OutcomeNotAwaited, "outcome-not-awaited", Severity::Error,
        "a command comes before the result URC of the one it depends on", "lmqtt.md 1.1"),
    (Rule::PayloadLengthMismatch, "payload-length-mismatch", Severity::Error,
        "the payload in the command does not have the length announced", "lmqtt.md 1.7"),
    (Rule::PayloadTooLong, "payload-too-long", Severity::Error,
        "the payload is longer than the module takes", "lmqtt.md 1.2"),
    (Rule::PayloadTooShort, "payload-too-short", Severity::Error,
        "less payload follows the prompt than was announced", "lmqtt.md 1.7"),
    (Rule::PollingTooFast, "polling-too-fast", Severity::Warning,
        "the same query comes again and again within a second", "lmqtt.md 1.5"),
    (Rule::PromptNotAwaited, "prompt-not-awaited", Severity::Error,
        "the payload comes before the prompt", "lmqtt.md 1.7"),
    (Rule::QuoteInPayload, "quote-in-payload", Severity::Note,
        "a payload in the command holds a quote, at which other firmware may end it", "lmqtt.md 1.7"),
    (Rule::ReceiveWithoutLength, "receive-without-length", Severity::Warning,
        "a payload with CR, LF or NUL is reported as text without its length", "lmqtt.md 1.8"),
    (Rule::SettingAfterOpen, "setting-after-open", Severity::Error,
        "the setting must come before OPEN", "lmqtt.md 1.3"),
    (Rule::WakeNotAwaited, "wake-not-awaited", Severity::Error,
        "a command comes before the module is awake, and is lost", "lmqtt.md 1.3"),
];

impl Rule {
    /// How many there are.
    pub(super) const COUNT: usize = TABLE.len();

    /// Every rule, by id.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(rule, ..)| *rule)
    }

    /// What the rule is called: `command-before-final-result`.
    pub fn id(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// How bad it is to break it, where the module's profile does not say otherwise
    /// ([`Linter::severity`](super::Linter::severity)).
    pub fn severity(self) -> Severity {
        TABLE[self as usize].2
    }

    /// What a host has done that breaks it.
    pub fn sentence(self) -> &'static str {
        TABLE[self as usize].3
    }

    /// Where the reference has it: file and section.
    pub fn reference(self) -> &'static str {
        TABLE[self as usize].4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        for (place, rule) in Rule::all().enumerate() {
            assert_eq!(rule as usize, place, "{}", rule.id());
        }
        assert!(Rule::all().is_sorted_by_key(Rule::id));
    }
}
