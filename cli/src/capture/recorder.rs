use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use atmq_driver::Direction;
use atmq_protocol::redact::Redactor;

use super::block;
use super::rtac::Event;
use crate::failure::{Failure, not_written};
use crate::messages::tell;
use crate::port::has_rate;

/// Whether and where to record.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RecordArguments {
    /// Record the serial line in a pcapng file for Wireshark and `atmq replay`, with passwords, keys
    /// and PINs masked
    #[arg(long, value_name = "FILE", help_heading = "Recording")]
    record: Option<PathBuf>,
    /// Let --record overwrite an existing file
    #[arg(long, requires = "record", help_heading = "Recording")]
    force: bool,
}

impl RecordArguments {
    /// Makes the file, if one is asked for. `port` is the name of the line; `baud` its bits per
    /// second.
    pub(crate) fn create(
        &self,
        port: &str,
        baud: Option<u32>,
    ) -> Result<Option<Recorder>, Failure> {
        let path = self.record.as_deref();
        // A TCP peer has no rate, whatever is set.
        let baud = baud.filter(|_| has_rate(port));
        path.map(|path| Recorder::create(path, self.force, port, baud))
            .transpose()
    }
}

/// A capture that is being written. Cheap to clone; the file is complete when the last is dropped.
///
/// Each record is one write, so that a file is whole up to its last record whatever ends the
/// program.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(Arc<Mutex<Writer>>);

/// What the interface is called that tells of the world, beside the line itself: other readers of
/// the line need not look at it.
pub(super) const WORLD: &str = "world";

/// The longest note about the world, in bytes. Ours: a fault may hold more, which
/// passes on the line.
pub(super) const WORDS: usize = 4 * 1024;

/// The bytes in one packet. Wireshark takes 256 KiB; nothing in this program hands over more than
/// this at once.
const PACKET: usize = 64 * 1024;

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    /// `None` once it has failed.
    file: Option<File>,
    /// Bytes of whole records.
    whole: u64,
    /// One moment on both clocks: the clock of the day may be set while the program runs.
    started: (Instant, Duration),
    /// What the host sends, and what the module sends.
    redactors: [Redactor; 2],
    /// The interface that tells of the world is described.
    world: bool,
    packet: Vec<u8>,
}

impl Recorder {
    /// Makes the file. `port` is the name of the line; `baud` its bits per second.
    pub(crate) fn create(
        path: &Path,
        force: bool,
        port: &str,
        baud: Option<u32>,
    ) -> Result<Self, Failure> {
        let file = open(path, force).map_err(|error| not_written("record to", path, &error))?;
        let mut writer = Writer {
            path: path.to_owned(),
            file: Some(file),
            whole: 0,
            started: (Instant::now(), since_epoch(SystemTime::now())),
            redactors: Default::default(),
            world: false,
            packet: Vec::new(),
        };
        let program = concat!("atmq ", env!("CARGO_PKG_VERSION"));
        let comment = format!(
            "{program}: TX is the host, RX is the module; *** stands for each secret; the state \
             of the control lines is not recorded"
        );
        block::section_header(program, &comment, &mut writer.packet);
        let description = "AT commands of a host (TX), answers of a module (RX)";
        block::interface_description(port, description, baud, &mut writer.packet);
        writer
            .write()
            .map_err(|error| not_written("record to", path, &error))?;
        Ok(Self(Arc::new(Mutex::new(writer))))
    }

    /// Records bytes that have just passed.
    pub(crate) fn record(&self, direction: Direction, bytes: &[u8]) {
        self.record_at(Instant::now(), direction, bytes);
    }

    /// Records bytes that passed then.
    pub(crate) fn record_at(&self, at: Instant, direction: Direction, bytes: &[u8]) {
        let mut writer = self.lock();
        let at = writer.time(at);
        for piece in bytes.chunks(PACKET) {
            let mut kept = Vec::with_capacity(piece.len());
            writer.redactors[direction as usize].redact(piece, &mut kept);
            if !kept.is_empty() {
                writer.event(at, &Event::Bytes(direction, kept));
            }
        }
    }

    /// Records what was done to the module or to its surroundings just now, on an interface of its
    /// own.
    pub(crate) fn record_world(&self, words: &str) {
        let mut writer = self.lock();
        if !std::mem::replace(&mut writer.world, true) {
            let description = "what happens to the module and around it: see the comments";
            block::interface_description(WORLD, description, None, &mut writer.packet);
        }
        let mut length = words.len().min(WORDS);
        while !words.is_char_boundary(length) {
            length -= 1;
        }
        let at = writer.time(Instant::now());
        writer.packet_of(1, at, &Event::World(words[..length].to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.0.lock().expect("nothing panics with the lock held")
    }
}

impl Writer {
    fn time(&self, at: Instant) -> Duration {
        let (instant, since_epoch) = self.started;
        since_epoch + at.saturating_duration_since(instant)
    }

    fn event(&mut self, at: Duration, event: &Event) {
        self.packet_of(0, at, event);
    }

    fn packet_of(&mut self, interface: u32, at: Duration, event: &Event) {
        block::enhanced_packet(interface, at, event, &mut self.packet);
        if let Err(error) = self.write() {
            // The session is worth more than its record.
            let path = self.path.display();
            tell(&format!(
                "atmq: cannot record to {path} any longer: {error}; what is there is whole"
            ));
            self.file = None;
        }
    }

    /// Writes the packet, in one piece.
    fn write(&mut self) -> io::Result<()> {
        let written = match &mut self.file {
            Some(file) => file.write_all(&self.packet).inspect_err(|_| {
                // On a full disk a part of it may be there. A pipe has no length to be set.
                let _ = file.set_len(self.whole);
            }),
            None => Ok(()),
        };
        self.whole += self.packet.len() as u64;
        self.packet.clear();
        written
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let at = self.time(Instant::now());
        self.event(at, &Event::Complete);
    }
}

/// Opens a file that is not there yet, or may be replaced. A pipe, as Wireshark reads from one, is
/// written to as it is. What is said on a line is nobody else's business: others cannot read a new
/// file.
fn open(path: &Path, force: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    let is_file = std::fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    match (is_file, force) {
        (false, _) => options.open(path),
        (true, false) => options.create_new(true).open(path),
        (true, true) => options.create(true).truncate(true).open(path),
    }
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}
