use atmq_protocol::at::parameter::ParameterError;
use atmq_protocol::at::result_code::{CmeError, FinalResult};

use super::Modem;

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The module does not know the command.
    Unknown,
    /// With a code of `+CME ERROR`.
    Cme(u16),
    /// With a code of `+CMS ERROR`.
    Cms(u16),
    /// `NO CARRIER`
    NoCarrier,
}

/// Bad parameter, state or form: the one code that ECMT's handlers raise.
pub(super) const NOT_ALLOWED: Refused = Refused::Cme(CmeError::NOT_ALLOWED);

impl From<ParameterError> for Refused {
    fn from(error: ParameterError) -> Self {
        tracing::debug!(%error, "bad parameter");
        NOT_ALLOWED
    }
}

impl Modem {
    /// Writes the final result code.
    pub(super) fn finish(&mut self, result: Result<FinalResult, Refused>) {
        self.active = self.driven;
        self.lint.finished(result.is_ok());
        let result = result.unwrap_or_else(|refused| self.refusal(refused));
        if !std::mem::take(&mut self.faults.result_lost) {
            self.output.result(&result);
        }
    }

    /// How a refusal is written is the host's choice, by `AT+CMEE`.
    fn refusal(&self, refused: Refused) -> FinalResult {
        let code = match refused {
            Refused::Unknown => CmeError::UNKNOWN,
            Refused::Cme(code) => code,
            Refused::Cms(code) => return FinalResult::Cms(code),
            Refused::NoCarrier => return FinalResult::NoCarrier,
        };
        match self.settings.number("+CMEE") {
            _ if self.profile.quirks.plain_errors => FinalResult::Error,
            0 => FinalResult::Error,
            1 => FinalResult::Cme(CmeError::Code(code)),
            _ => FinalResult::Cme(match CmeError::words(code) {
                Some(words) => CmeError::Text(words.into()),
                None => CmeError::Code(code),
            }),
        }
    }
}
