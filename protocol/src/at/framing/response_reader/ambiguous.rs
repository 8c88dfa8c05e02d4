use alloc::vec;
use alloc::vec::Vec;

use memchr::{memchr, memmem};

use super::{Line, ResponseReader, Step};
use crate::at::framing::Extent;
use crate::at::framing::message::{LINE_END, Verdict};

/// Where the readings of an ambiguous message lead to.
enum Follow {
    /// The places at which the next line may begin.
    To(Vec<usize>),
    /// More bytes are needed.
    Wait,
    /// Further than lines are kept.
    TooFar,
}

impl ResponseReader {
    /// Finds the end of what is lost with an ambiguous message.
    ///
    /// Whichever reading is the right one, the module's next line begins at its end. Behind a
    /// shorter one there may be a message that reaches beyond the end of a longer one, so that a
    /// line of its payload would be read as the module's. So each reading is followed, line by
    /// line and message by message, until all have come to the same place. Where that cannot be
    /// told, it is where the module is silent.
    pub(super) fn merge(&mut self, extent: &impl Fn(&[u8]) -> Extent) -> Step {
        let start = self.start;
        let next = loop {
            self.paths.sort_unstable();
            self.paths.dedup();
            let (first, last) = (self.paths[0], self.paths[self.paths.len() - 1]);
            if first == last {
                break first;
            }
            match self.follow(first, extent) {
                Follow::To(mut places) if first - start <= self.limit => {
                    self.paths.swap_remove(0);
                    self.paths.append(&mut places);
                }
                Follow::Wait if self.settled => break self.buffer.len(),
                Follow::Wait => {
                    self.held = true;
                    return Step::Wait;
                }
                // Nothing is kept of what follows, and nothing of it is read before the silence.
                Follow::To(_) | Follow::TooFar => {
                    self.paths.clear();
                    self.begin_line(first);
                    self.line = Line::Deaf;
                    return Step::Lost {
                        start,
                        end: first,
                        ambiguous: true,
                    };
                }
            }
        };
        self.paths.clear();
        let bytes = &self.buffer[start..next];
        let end = start + bytes.strip_suffix(LINE_END).unwrap_or(bytes).len();
        self.begin_line(next);
        Step::Lost {
            start,
            end,
            ambiguous: true,
        }
    }

    /// Drops what comes until the module has been silent.
    pub(super) fn hear_nothing(&mut self) -> Step {
        let settled = self.settled;
        self.begin_line(self.buffer.len());
        if settled {
            return Step::Again;
        }
        self.line = Line::Deaf;
        self.held = true;
        Step::Wait
    }

    /// Where the lines may begin that follow the one that begins here.
    fn follow(&self, place: usize, extent: &impl Fn(&[u8]) -> Extent) -> Follow {
        let line = &self.buffer[place..];
        let line_feed = memchr(b'\n', line);
        let behind = |end: usize| {
            let line_end = memchr(b'\n', &line[end..]).map_or(0, |at| at + 1);
            place + end + line_end
        };
        let extent = extent(&line[..line_feed.unwrap_or(line.len())]);
        let verdict = match extent {
            Extent::Message(form) => Some(form.judge(line, self.limit, false, self.without_length)),
            Extent::Quoted(form) => Some(form.judge(line, self.limit, false)),
            _ => None,
        };
        match verdict {
            Some(Verdict::Wait { .. }) => return Follow::Wait,
            Some(Verdict::Message(reading)) => return Follow::To(vec![behind(reading.end)]),
            Some(Verdict::Ambiguous { ends }) => {
                return Follow::To(ends.into_iter().map(behind).collect());
            }
            Some(Verdict::Torn { .. }) | None => {}
        }
        match (extent, line_feed) {
            (Extent::Block(length), Some(head)) if head + length < self.limit => {
                let end = head + 1 + length;
                return match line.len().checked_sub(LINE_END.len()) {
                    Some(longest) if end <= longest => Follow::To(vec![behind(end)]),
                    _ => Follow::Wait,
                };
            }
            (Extent::Marked(mark), _) => return self.follow_mark(place, 0, mark),
            (Extent::MarkedFrom(from, mark), _) => return self.follow_mark(place, from, mark),
            _ => {}
        }
        match line_feed {
            Some(end) if end <= self.limit => Follow::To(vec![place + end + 1]),
            None if line.len() <= self.limit => Follow::Wait,
            _ => Follow::TooFar,
        }
    }

    /// A line at `place` that a mark ends, behind so many bytes of its own.
    fn follow_mark(&self, place: usize, behind: usize, mark: &[u8]) -> Follow {
        let line = &self.buffer[place..];
        let rest = line.get(behind..).unwrap_or_default();
        match memmem::find(rest, mark) {
            Some(at) => Follow::To(vec![place + behind + at + mark.len()]),
            None if line.len() <= self.limit => Follow::Wait,
            None => Follow::TooFar,
        }
    }
}
