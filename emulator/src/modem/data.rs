//! Raw bytes from the host: what asks for them, when they are given up, and whose they are.

use std::time::Instant;

use atmq_protocol::at::framing::Input;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Ask, NoData, Prompt};

use super::faces::Whose;
use super::{Modem, Phase};

/// Bytes on their way from the host.
#[derive(Debug)]
pub(super) struct Asked {
    /// Who has asked for them.
    pub(super) whose: Whose,
    pub(super) ask: Ask,
}

impl Asked {
    /// When the bytes are given up of which something came at `now`.
    pub(super) fn give_up(&self, now: Instant) -> Option<Instant> {
        self.ask.patience.map(|patience| now + patience)
    }

    /// Behind a line come files and the like, which are stored as they come; the module thinks
    /// about all else.
    fn is_stored(&self) -> bool {
        matches!(self.ask.prompt, Prompt::Line(_))
    }
}

impl Modem {
    /// Asks for data.
    pub(super) fn ask_host(&mut self, asked: Asked, now: Instant) {
        let sign = match asked.ask.prompt {
            Prompt::Sign(sign) => Some(sign),
            Prompt::SignAfterOk(sign) => {
                self.output.result(&FinalResult::Ok);
                Some(sign)
            }
            Prompt::Line(line) => {
                match FinalResult::decode(line) {
                    Some(result) => self.finish(Ok(result)),
                    None => self.output.line(|out| out.extend_from_slice(line)),
                }
                None
            }
            // Without a prompt the data may follow the result.
            _ => {
                self.finish(Ok(FinalResult::Ok));
                None
            }
        };
        if let Some(sign) = sign {
            self.output.raw(b"\r\n");
            self.output.raw(sign);
        }
        self.expect_data(&asked.ask, now);
        let give_up = asked.give_up(now);
        self.phase = Phase::Prompted { asked, give_up };
    }

    /// Takes raw bytes of the host next.
    fn expect_data(&mut self, ask: &Ask, now: Instant) {
        let dialect = &*self.profile.dialect;
        self.lint.prompted(ask.length, ask.end, dialect, now);
        self.reader.expect_data(ask.length, ask.end);
    }

    /// Whether the data has come, or does not come any more.
    pub(super) fn read_data(
        &mut self,
        asked: Asked,
        give_up: Option<Instant>,
        now: Instant,
    ) -> bool {
        match self.reader.next(&mut Vec::new()) {
            Some(Input::Data(data)) => {
                let data = data.to_vec();
                self.lint.took(&data, &*self.profile.dialect, now);
                if asked.is_stored() {
                    self.take_data(&asked, &data, now);
                } else {
                    let due = now + self.spread(self.profile.latency.command);
                    self.phase = Phase::Taking { due, asked, data };
                }
                return true;
            }
            Some(Input::Cancelled) => {
                self.lint.cancelled();
                self.give_up_data(&asked, NoData::Left, now);
                return true;
            }
            // There is no room for so much.
            Some(Input::Overlong { .. }) => {
                self.give_up_data(&asked, NoData::Late, now);
                return true;
            }
            _ => {}
        }
        if give_up.is_some_and(|give_up| give_up <= now) {
            let came = self.reader.abort_data();
            if let Some(length) = asked.ask.length
                && !asked.is_stored()
            {
                self.lint.gave_up(came, length, now);
            }
            self.give_up_data(&asked, NoData::Late, now);
            return true;
        }
        self.phase = Phase::Prompted { asked, give_up };
        false
    }

    /// Hands the data to whom has asked for it.
    pub(super) fn take_data(&mut self, asked: &Asked, data: &[u8], now: Instant) {
        let result = self.hand_over(asked.whose, data, now);
        self.conclude(result, now);
    }

    fn give_up_data(&mut self, asked: &Asked, why: NoData, now: Instant) {
        let result = self.hand_over_none(asked.whose, why, now);
        self.conclude(result, now);
    }
}
