use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::DataFormat;

/// How payloads to publish are given to the module. It holds for a connection as long as it is
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// As they are, inside of the command or behind a prompt, where the module carries every byte
    /// so; in hexadecimal digits on a module whose prompt ends at Ctrl-Z and ESC
    /// ([`Limits::prompt_end`]).
    #[default]
    Automatic,
    /// In hexadecimal digits. Two of them make a byte, so half as much fits.
    Hex,
}

impl PayloadFormat {
    pub(super) fn on(self, limits: &Limits) -> DataFormat {
        match (self, limits.prompt_end) {
            (Self::Automatic, DataEnd::Length) => DataFormat::Text,
            (Self::Automatic, DataEnd::ControlCharacters | DataEnd::Mark(_)) | (Self::Hex, _) => {
                DataFormat::HexString
            }
        }
    }
}
