//! `AT+LFUPL`: files from the host (unverified, after Quectel's `AT+QFUPL`).

use std::time::{Duration, Instant};

use atmq_protocol::framing::Input;
use atmq_protocol::result_code::FinalResult;

use super::command::Done;
use super::{Modem, NOT_ALLOWED, Phase, Refused};

/// A file on its way from the host.
#[derive(Debug)]
pub(super) struct Upload {
    name: String,
    length: usize,
    /// How long the next byte is awaited.
    patience: Duration,
}

impl Upload {
    /// Bytes to come.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// When a file is given up of which something came at `now`.
    pub(super) fn give_up(&self, now: Instant) -> Instant {
        now + self.patience
    }
}

impl Modem {
    pub(super) fn upload(
        &mut self,
        name: &str,
        length: usize,
        timeout_seconds: Option<u16>,
    ) -> Result<Done, Refused> {
        if !self.store.has_room(name) {
            return Err(NOT_ALLOWED);
        }
        let timeout = timeout_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        Ok(Done::Upload(Upload {
            name: name.to_owned(),
            length,
            patience: timeout.unwrap_or(self.profile.data_timeout),
        }))
    }

    pub(super) fn read_upload(&mut self, upload: Upload, give_up: Instant, now: Instant) -> bool {
        if let Some(Input::Data(bytes)) = self.reader.next(&mut Vec::new()) {
            let bytes = bytes.to_vec();
            self.store.write(upload.name, bytes);
            self.finish(Ok(FinalResult::Ok));
            return true;
        }
        if give_up <= now {
            self.reader.abort_data();
            self.finish(Err(NOT_ALLOWED));
            return true;
        }
        self.phase = Phase::Uploading { upload, give_up };
        false
    }
}
