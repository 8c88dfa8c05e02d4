use std::time::Instant;

use atmq_emulator::modem::Happening;
use serde_json::json;

use super::Announcer;
use crate::capture::Recorder;
use crate::duration::milliseconds;
use crate::failure::FailureKind;
use crate::messages::tell;
use crate::output::count;
use crate::visible::json as to_line;

/// Tells of what happens to a module and around it, where that is kept: in the capture, and in
/// lines of JSON.
pub(super) struct Chronicle {
    recorder: Option<Recorder>,
    announcer: Announcer,
    started: Instant,
    /// It has been told that nothing more can be printed.
    silent: bool,
    /// Lines for which there was no room, because nobody has read for long.
    unprinted: u64,
}

impl Chronicle {
    pub(super) fn new(recorder: Option<Recorder>, announcer: Announcer) -> Self {
        Self {
            recorder,
            announcer,
            started: Instant::now(),
            silent: false,
            unprinted: 0,
        }
    }

    pub(super) fn tell(&mut self, happening: &Happening) {
        let (kind, text) = (happening.kind(), happening.to_string());
        if let Some(recorder) = &self.recorder {
            recorder.record_world(&format!("{kind}: {text}"));
        }
        if !self.announcer.json() || self.silent {
            return;
        }
        let ms = milliseconds(self.started.elapsed());
        let line = json!({ "event": "world", "ms": ms, "kind": kind, "text": text });
        match self.announcer.announce_later(&to_line(&line)) {
            Ok(has_room) => self.unprinted += u64::from(!has_room),
            Err(failure) => {
                self.silent = true;
                if failure.kind() != FailureKind::NobodyReads {
                    tell(&format!("atmq: {failure}; the module runs on"));
                }
            }
        }
    }
}

impl Drop for Chronicle {
    fn drop(&mut self) {
        if self.unprinted > 0 {
            tell(&format!(
                "atmq: {} of what happened were not printed: standard output took nothing",
                count(self.unprinted, "line")
            ));
        }
    }
}
