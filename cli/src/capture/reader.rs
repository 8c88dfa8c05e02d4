use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};

use super::rtac::{self, Event};
use crate::failure::{Failure, FailureKind};

/// Read at a time, at first.
const CAPACITY: usize = 64 * 1024;

/// The longest block that is read. Ours: four times what Wireshark takes for a packet.
const LONGEST: usize = 1024 * 1024;

/// Interfaces of one section. Ours: a capture has one, one that was merged a few.
const INTERFACES: usize = 256;

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
    /// Units per second of each interface, and the seconds that are added.
    interfaces: Vec<(u64, i64)>,
    /// Nanoseconds instead of microseconds in the old format.
    legacy_nanoseconds: bool,
    about: About,
    records: u64,
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
                .hint("give a pcapng file, as --record writes it"),
        })?;
        Ok(Self {
            name,
            reader,
            interfaces: Vec::new(),
            legacy_nanoseconds: false,
            about: About::default(),
            records: 0,
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
            let (length, block) = match self.reader.next() {
                Ok(next) => next,
                Err(PcapError::Eof) => return Ok(None),
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
                    let records = self.records;
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
            let record = match block {
                PcapBlockOwned::NG(block) => {
                    take_block(&mut self.interfaces, &mut self.about, &block)
                }
                PcapBlockOwned::LegacyHeader(header) => {
                    self.legacy_nanoseconds = header.is_nanosecond_precision();
                    check_link_type(header.network.0).map(|()| None)
                }
                PcapBlockOwned::Legacy(packet) => {
                    let unit = if self.legacy_nanoseconds { 1 } else { 1000 };
                    let fraction = Duration::from_nanos(u64::from(packet.ts_usec) * unit);
                    let at = Duration::from_secs(packet.ts_sec.into()) + fraction;
                    record(at, packet.data).map(Some)
                }
            };
            let record = record.map_err(|why| self.damaged(&why))?;
            self.reader.consume(length);
            if let Some(record) = record {
                self.records += 1;
                if record.event == Event::Complete {
                    self.about.complete = Some(true);
                }
                return Ok(Some(record));
            }
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
        let records = self.records;
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

/// Takes in a block of pcapng; `None`: it holds no record.
fn take_block(
    interfaces: &mut Vec<(u64, i64)>,
    about: &mut About,
    block: &Block<'_>,
) -> Result<Option<Record>, String> {
    match block {
        Block::SectionHeader(section) => {
            interfaces.clear();
            about.program = text(section.shb_userappl());
            let ours = about.program.as_ref();
            let ours = ours.is_some_and(|program| program.starts_with("atmq "));
            about.complete = ours.then_some(false);
        }
        Block::InterfaceDescription(interface) => {
            check_link_type(interface.linktype.0)?;
            if interfaces.len() == INTERFACES {
                return Err(format!("it has more than {INTERFACES} interfaces"));
            }
            let units = match interface.if_tsresol {
                power @ ..=19 => Some(10_u64.pow(power.into())),
                power @ 0x80..=0xbf => Some(1 << (power & 0x7f)),
                _ => None,
            };
            let units = units.ok_or("its unit of time is not known")?;
            interfaces.push((units, interface.if_tsoffset));
            about.port = text(interface.if_name());
        }
        Block::EnhancedPacket(packet) => {
            let interface = usize::try_from(packet.if_id).ok();
            let interface = interface.and_then(|id| interfaces.get(id));
            let (units, offset) = interface.ok_or("its interface is not described")?;
            let time = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            let fraction = u128::from(time % units) * 1_000_000_000 / u128::from(*units);
            // Less than a second in nanoseconds.
            let fraction = Duration::from_nanos(fraction as u64);
            let seconds = (time / units).saturating_add_signed(*offset);
            let at = Duration::from_secs(seconds).saturating_add(fraction);
            let length = usize::try_from(packet.caplen).unwrap_or(usize::MAX);
            let data = packet.data.get(..length).ok_or("its length is wrong")?;
            return record(at, data).map(Some);
        }
        Block::SimplePacket(_) => return Err("a packet without time".into()),
        // Names, statistics and what else may be there tell nothing of the line.
        _ => {}
    }
    Ok(None)
}

fn record(at: Duration, packet: &[u8]) -> Result<Record, String> {
    let event = rtac::decode(packet).ok_or("a packet is shorter than its header")?;
    Ok(Record { at, event })
}

fn check_link_type(link_type: i32) -> Result<(), String> {
    if link_type == i32::from(rtac::LINK_TYPE) {
        return Ok(());
    }
    Err(format!(
        "it is a capture of link type {link_type}, not of a serial line (RTAC serial, 250)"
    ))
}

/// An option that is text, as far as it is there and can be shown.
fn text<E>(option: Option<Result<&str, E>>) -> Option<String> {
    let text = option?.ok()?;
    let shown = text.chars().filter(|character| !character.is_control());
    Some(shown.take(200).collect())
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
