use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

use super::Event;
use super::blocks::{Blocks, SERIAL, Section, not_serial};
use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::output::count;

/// Read at a time, at first.
const CAPACITY: usize = 64 * 1024;

/// The longest block that is read. Ours: four times what Wireshark takes for a packet.
const LONGEST: usize = 1024 * 1024;

/// Something that happened on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// When, since 1970.
    pub(crate) at: Duration,
    /// What.
    pub(crate) event: Event,
}

/// A capture that is being read: an iterator over its records, which ends behind the first error.
/// It keeps one block at a time.
pub(crate) struct Capture {
    name: String,
    reader: Box<dyn PcapReaderIterator + Send>,
    section: Section,
    /// Of a block that has been read.
    records: VecDeque<Record>,
    /// Nanoseconds instead of microseconds in the old format.
    legacy_nanoseconds: bool,
    about: About,
    /// Records so far.
    count: u64,
    done: bool,
}

/// What a capture tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The program that recorded.
    pub(crate) program: Option<String>,
    /// The line that was recorded.
    pub(crate) port: Option<String>,
    /// Whether it was recorded to its end; `None` where the program does not tell that.
    pub(crate) complete: Option<bool>,
    /// Packets that are not of a serial line, and so are not looked at.
    pub(crate) skipped: u64,
    /// The link type of the first interface that is no serial line.
    pub(super) other: Option<i32>,
    /// Whether any is one.
    pub(super) serial: bool,
    /// Records of which whoever recorded kept only the beginning.
    pub(crate) cut: u64,
}

impl About {
    /// Tells what was not read, and what is missing in what was.
    pub(crate) fn remark(&self) {
        if self.skipped > 0 {
            let (skipped, other) = (
                count(self.skipped, "packet"),
                self.other.unwrap_or_default(),
            );
            tell(&format!(
                "atmq: {skipped} of other interfaces skipped (link type {other}, not RTAC serial)"
            ));
        }
        if self.cut > 0 {
            let cut = count(self.cut, "record");
            tell(&format!(
                "atmq: {cut} cut by a snapshot length when recorded: bytes are missing"
            ));
        }
    }
}

impl Capture {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| {
            let what = format!("cannot read {}: {error}", path.display());
            Failure::new(FailureKind::Unavailable, what)
        })?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            let what = format!("cannot read {}: it is a directory", path.display());
            return Err(Failure::new(FailureKind::Unavailable, what));
        }
        Self::read(path, file)
    }

    fn read(path: &Path, source: impl Read + Send + 'static) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let reader = create_reader(CAPACITY, Steady(source)).map_err(|error| match error {
            PcapError::Eof => unreadable(format!("{name} is empty")),
            PcapError::ReadError => unreadable(format!("{name} cannot be read")),
            _ => unreadable(format!("{name} is no capture"))
                .hint("give a pcapng or pcap file; `editcap -F pcapng` converts other formats"),
        })?;
        Ok(Self {
            name,
            reader,
            section: Section::default(),
            records: VecDeque::new(),
            legacy_nanoseconds: false,
            about: About::default(),
            count: 0,
            done: false,
        })
    }

    /// What has been learnt so far; all of it once a record has been read, but for the end.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// The next record, or what is wrong with the file.
    fn next_record(&mut self) -> Result<Option<Record>, Failure> {
        loop {
            if let Some(record) = self.records.pop_front() {
                self.count += 1;
                if record.event == Event::Complete {
                    self.about.complete = Some(true);
                }
                return Ok(Some(record));
            }
            let (length, block) = match self.reader.next() {
                Ok(next) => next,
                Err(PcapError::Eof) => return self.at_end(),
                Err(PcapError::Incomplete(_)) => {
                    self.refill()?;
                    continue;
                }
                Err(PcapError::BufferTooSmall) => {
                    self.grow()?;
                    continue;
                }
                Err(PcapError::UnexpectedEof) => {
                    let (name, at) = (&self.name, self.reader.consumed());
                    let records = self.count;
                    return Err(unreadable(format!(
                        "{name} is cut: it ends in the middle of a block, behind {records} records \
                         and {at} bytes"
                    )));
                }
                Err(PcapError::ReadError) => {
                    return Err(unreadable(format!("{} cannot be read on", self.name)));
                }
                Err(_) => return Err(self.damaged("the block there is no block")),
            };
            let mut blocks = Blocks {
                section: &mut self.section,
                about: &mut self.about,
                records: &mut self.records,
            };
            let taken = match block {
                PcapBlockOwned::NG(block) => blocks.take(&block),
                PcapBlockOwned::LegacyHeader(header) => {
                    self.legacy_nanoseconds = header.is_nanosecond_precision();
                    match header.network.0 {
                        SERIAL => Ok(()),
                        other => Err(not_serial(other)),
                    }
                }
                PcapBlockOwned::Legacy(packet) => {
                    let unit = if self.legacy_nanoseconds { 1 } else { 1000 };
                    let fraction = Duration::from_nanos(u64::from(packet.ts_usec) * unit);
                    let at = Duration::from_secs(packet.ts_sec.into()) + fraction;
                    let lengths = (packet.caplen, packet.origlen);
                    blocks.packet(at, packet.data, lengths, false, Vec::new())
                }
            };
            taken.map_err(|why| self.damaged(&why))?;
            self.reader.consume(length);
        }
    }

    /// Nothing more is there, which may be wrong.
    fn at_end(&self) -> Result<Option<Record>, Failure> {
        match self.about.other {
            Some(other) if !self.about.serial => Err(self.damaged(&not_serial(other))),
            _ => Ok(None),
        }
    }

    fn refill(&mut self) -> Result<(), Failure> {
        match self.reader.refill() {
            Ok(()) => Ok(()),
            Err(_) => Err(unreadable(format!("{} cannot be read on", self.name))),
        }
    }

    fn grow(&mut self) -> Result<(), Failure> {
        let size = self.reader.data().len().max(CAPACITY) * 2;
        if size > LONGEST || !self.reader.grow(size) {
            return Err(self.damaged("the block there is longer than 1 MiB"));
        }
        self.refill()
    }

    fn damaged(&self, why: &str) -> Failure {
        let (name, at) = (&self.name, self.reader.consumed());
        let records = self.count;
        unreadable(format!(
            "{name} cannot be read behind {records} records and {at} bytes: {why}"
        ))
    }
}

impl Iterator for Capture {
    type Item = Result<Record, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.next_record().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

fn unreadable(what: String) -> Failure {
    Failure::new(FailureKind::Unavailable, what)
}

/// Reads until the buffer is full or nothing is left: the parser decides what a file is by its
/// first read alone.
struct Steady<R>(R);

impl<R: Read> Read for Steady<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // What has been read comes first.
                Err(_) if filled > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
