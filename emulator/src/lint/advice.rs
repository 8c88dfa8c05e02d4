use super::Rule;

impl Rule {
    /// What the host should do instead. `docs/lint.md` says the same.
    pub fn advice(self) -> &'static str {
        match self {
            Self::BootNotAwaited => "Wait for the banner, then send AT until it is answered.",
            Self::CloseWithoutOpen => "Nothing, or remember what is open.",
            Self::CommandBeforeFinalResult => {
                "Wait for OK or an error, or for the time limit of the command."
            }
            Self::CommandInData => {
                "Nothing, if that is meant. Otherwise look at the length that was announced."
            }
            Self::ConfigurationDiffers => "Nothing, if that is meant.",
            Self::ConfigurationLost => "Send every setting again before each OPEN.",
            Self::ControlCharacterInCommand => {
                "Send values with control characters behind the prompt, or in hexadecimal digits."
            }
            Self::CtrlZAfterPayload => "Send the announced bytes and nothing else.",
            Self::GarbageBetweenCommands => "Look for a wrong length or baud rate.",
            Self::HostNotAName => "Give a name or an address, and the port in its own parameter.",
            Self::KeepaliveOutOfRange => "Set keepalive to 30–1200.",
            Self::LineFeedOnly => "End commands with CR LF or CR.",
            Self::LineTooLong => "Send long payloads behind the prompt.",
            Self::MessageIdInFlight => {
                "Count the ids up, and wait for the result URC before using one again."
            }
            Self::MessageIdWithQos0 => "Use message id 0.",
            Self::MessageIdZero => "Use 1 to 65535.",
            Self::NotConnected => "Follow the result URCs and the URCs that report a lost link.",
            Self::OutcomeNotAwaited => {
                "Wait for the result URC, up to the time limit in the manual."
            }
            Self::PayloadLengthMismatch => {
                "Count bytes, not characters, and leave out the quotes around the payload."
            }
            Self::PayloadTooLong => "Send it behind the prompt, or in pieces.",
            Self::PayloadTooShort => "Send exactly the announced number of bytes.",
            Self::PollingTooFast => "Ask once a second at most, or use the URCs.",
            Self::PromptNotAwaited => "Wait for the prompt.",
            Self::QuoteInPayload => "Send such a payload behind the prompt.",
            Self::ReceiveWithoutLength => {
                "Set recv/mode to show the length, or to hexadecimal digits."
            }
            Self::SettingAfterOpen => "Send it before OPEN.",
            Self::WakeNotAwaited => "Send AT until it is answered, then the command.",
        }
    }
}
