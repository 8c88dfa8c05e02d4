//! Raw bytes from the host behind `CONNECT`: files of `AT+LFUPL` (unverified, after Quectel's
//! `AT+QFUPL`), and what the HTTP commands ask for.

use std::time::{Duration, Instant};

use atmq_protocol::at::framing::Input;
use atmq_protocol::at::result_code::FinalResult;

use super::command::Done;
use super::http::HttpUpload;
use super::{Modem, NOT_ALLOWED, Phase, Refused};

/// Bytes on their way from the host.
#[derive(Debug)]
pub(super) struct Upload {
    what: Uploaded,
    length: usize,
    /// How long the next byte is awaited.
    patience: Duration,
}

/// What the bytes are.
#[derive(Debug)]
enum Uploaded {
    /// The file of this name.
    File(String),
    /// Something of a HTTP request.
    Http(HttpUpload),
}

impl Upload {
    /// Bytes of a HTTP request.
    pub(super) fn http(what: HttpUpload, length: usize, patience: Duration) -> Self {
        Self {
            what: Uploaded::Http(what),
            length,
            patience,
        }
    }

    /// Bytes to come.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// When bytes are given up of which something came at `now`.
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
            what: Uploaded::File(name.to_owned()),
            length,
            patience: timeout.unwrap_or(self.profile.limits.prompt_timeout),
        }))
    }

    pub(super) fn read_upload(&mut self, upload: Upload, give_up: Instant, now: Instant) -> bool {
        if let Some(Input::Data(bytes)) = self.reader.next(&mut Vec::new()) {
            let bytes = bytes.to_vec();
            let result = match upload.what {
                Uploaded::File(name) => {
                    self.store.write(name, bytes);
                    Ok(())
                }
                Uploaded::Http(what) => self.http_uploaded(what, bytes, now),
            };
            self.finish(result.map(|()| FinalResult::Ok));
            return true;
        }
        if give_up <= now {
            self.reader.abort_data();
            self.finish(Err(match upload.what {
                Uploaded::File(_) => NOT_ALLOWED,
                Uploaded::Http(_) => super::http::INPUT_TIMEOUT,
            }));
            return true;
        }
        self.phase = Phase::Uploading { upload, give_up };
        false
    }
}
