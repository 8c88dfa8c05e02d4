use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::Refused;

use super::Modem;

/// Bad parameter, state or form.
pub(super) const NOT_ALLOWED: Refused = Refused::NOT_ALLOWED;

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
            Refused::Plain => return FinalResult::Error,
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
