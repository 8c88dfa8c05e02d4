//! The files of the card, and what it answers to the commands that `AT+CRSM` passes on.
//!
//! The module knows LTE alone, and LTE takes no SIM of 51.011 but a USIM (33.401 section 6.1.1). So
//! the card is a UICC: it describes its files by ETSI TS 102 221 section 11.1.1.3, and its status
//! words are those of section 10.2.1, 6A82 for a file that is not there and not 9404.
//!
//! There is what hosts ask to know the card by, and nothing that would contradict the module: a file
//! with a number of its own or with the operator's name is not there. Nothing can be written: what
//! would have to be known to do so is the operator's.

use crate::profile::Identity;

/// SW1 and SW2 (ETSI TS 102 221 section 10.2.1).
pub(in crate::modem) type StatusWord = (u8, u8);

/// Normal ending of the command.
pub(in crate::modem) const DONE: StatusWord = (0x90, 0x00);
const WRONG_LENGTH: StatusWord = (0x67, 0x00);
/// Command incompatible with file structure.
const INCOMPATIBLE: StatusWord = (0x69, 0x81);
/// Security status not satisfied.
const NOT_PERMITTED: StatusWord = (0x69, 0x82);
/// Command not allowed, no EF selected.
const NO_FILE: StatusWord = (0x69, 0x86);
const FILE_NOT_FOUND: StatusWord = (0x6a, 0x82);
const RECORD_NOT_FOUND: StatusWord = (0x6a, 0x83);
/// Incorrect parameters P1 to P2.
const WRONG_MODE: StatusWord = (0x6a, 0x86);
/// Wrong parameters P1 to P2: outside of the file.
const OUTSIDE: StatusWord = (0x6b, 0x00);
/// Instruction code not supported or invalid.
const UNKNOWN: StatusWord = (0x6d, 0x00);

const READ_BINARY: u8 = 176;
const READ_RECORD: u8 = 178;
const GET_RESPONSE: u8 = 192;
const RETRIEVE_DATA: u8 = 203;
const UPDATE_BINARY: u8 = 214;
const SET_DATA: u8 = 219;
const UPDATE_RECORD: u8 = 220;
const STATUS: u8 = 242;

const MASTER_FILE: u16 = 0x3f00;
/// The USIM, whatever its application identifier is (ETSI TS 102 221 section 8.3).
const USIM: u16 = 0x7fff;
/// Where a SIM of 51.011 has what is the USIM's here; cards show it there as well.
const GSM: u16 = 0x7f20;

/// The application identifier: that of a USIM (ETSI TS 101 220 annex E), without an operator's part.
const APPLICATION: [u8; 16] = [
    0xa0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xff, 0xff, 0xff, 0xff, 0x89, 0xff, 0xff, 0xff, 0xff,
];

/// A command as `AT+CRSM` has it (27.007 section 8.18).
pub(in crate::modem) struct CardCommand<'a> {
    /// The instruction code.
    pub(in crate::modem) code: u8,
    /// The file that the module selects first.
    pub(in crate::modem) file: u16,
    pub(in crate::modem) p1: u8,
    pub(in crate::modem) p2: u8,
    /// How many bytes, 0 for all.
    pub(in crate::modem) p3: u8,
    /// The directories down to the file, in hexadecimal digits; without them the file is found
    /// wherever it is.
    pub(in crate::modem) path: Option<&'a str>,
}

impl CardCommand<'_> {
    /// STATUS without a file is about the application in use.
    pub(in crate::modem) fn default_file(code: u8) -> Option<u16> {
        (code == STATUS).then_some(USIM)
    }

    /// How many bytes to read of so many: P3, where 0 stands for all (ISO 7816-4 section 5.3.2).
    fn length(&self, there: usize) -> Result<usize, StatusWord> {
        match usize::from(self.p3) {
            0 => Ok(there),
            length if length <= there => Ok(length),
            _ => Err(WRONG_LENGTH),
        }
    }
}

/// What a file holds.
enum Content {
    Directory,
    Bytes(Vec<u8>),
    /// Records of one length.
    Records(Vec<Vec<u8>>),
}

/// Who may read a file.
#[derive(Clone, Copy)]
enum Readable {
    Always,
    /// Whoever has entered the PIN.
    WithPin,
}

struct File {
    id: u16,
    /// The directory that holds it.
    within: u16,
    /// The five bits by which commands can name it.
    short_id: u8,
    readable: Readable,
    content: Content,
}

/// The files of a card.
pub(in crate::modem) struct Card {
    files: [File; 6],
    asks_for_pin: bool,
}

impl Card {
    /// The card of these numbers. `network_digits` is how many digits the network code of the IMSI
    /// has.
    pub(in crate::modem) fn new(
        identity: &Identity,
        network_digits: u8,
        asks_for_pin: bool,
    ) -> Self {
        use Readable::{Always, WithPin};
        let file = |id, within, short_id, readable, content| File {
            id,
            within,
            short_id,
            readable,
            content,
        };
        // 31.102 section 4.2.2: the length, and a 9 for the kind of number before the digits.
        let imsi = swapped(&format!("9{}", identity.imsi));
        let imsi = [&[imsi.len() as u8], &imsi[..]].concat();
        Self {
            files: [
                file(MASTER_FILE, MASTER_FILE, 0, Always, Content::Directory),
                // The applications of the card (ETSI TS 102 221 section 13.1).
                file(
                    0x2f00,
                    MASTER_FILE,
                    0x1e,
                    Always,
                    Content::Records(vec![application()]),
                ),
                // The ICCID (ETSI TS 102 221 section 13.2).
                file(
                    0x2fe2,
                    MASTER_FILE,
                    0x02,
                    Always,
                    Content::Bytes(swapped(&identity.iccid)),
                ),
                file(USIM, MASTER_FILE, 0, Always, Content::Directory),
                // The IMSI.
                file(0x6f07, USIM, 0x07, WithPin, Content::Bytes(imsi)),
                // Administrative data: normal operation (31.102 section 4.2.18).
                file(
                    0x6fad,
                    USIM,
                    0x03,
                    Always,
                    Content::Bytes(vec![0, 0, 0, network_digits]),
                ),
            ],
            asks_for_pin,
        }
    }

    /// Carries out a command: what the card answers, or why it refuses.
    pub(in crate::modem) fn execute(
        &self,
        command: &CardCommand<'_>,
    ) -> Result<Vec<u8>, StatusWord> {
        let file = self.select(command).ok_or(FILE_NOT_FOUND)?;
        match (command.code, &file.content) {
            // How much of it there is the module finds out by itself, and asks for all of it.
            (GET_RESPONSE | STATUS, _) => Ok(self.describe(file)),
            (READ_BINARY, Content::Bytes(bytes)) => read_binary(bytes, command),
            (READ_RECORD, Content::Records(records)) => read_record(records, command),
            (UPDATE_BINARY, Content::Bytes(_)) | (UPDATE_RECORD, Content::Records(_)) => {
                Err(NOT_PERMITTED)
            }
            (
                READ_BINARY | READ_RECORD | UPDATE_BINARY | UPDATE_RECORD | RETRIEVE_DATA
                | SET_DATA,
                content,
            ) => Err(match content {
                Content::Directory => NO_FILE,
                _ => INCOMPATIBLE,
            }),
            _ => Err(UNKNOWN),
        }
    }

    /// The file that a command is about.
    fn select(&self, command: &CardCommand<'_>) -> Option<&File> {
        let file = self.files.iter().find(|file| file.id == command.file)?;
        let Some(path) = command.path else {
            return Some(file);
        };
        // Two bytes a directory. The master file at the beginning may be left out.
        let directory = |digits| u16::from_str_radix(digits, 16).ok();
        let within = match path.split_at_checked(4) {
            None if path.is_empty() => MASTER_FILE,
            Some((first, "")) => directory(first)?,
            Some((first, second)) if second.len() == 4 && directory(first)? == MASTER_FILE => {
                directory(second)?
            }
            _ => return None,
        };
        let same = within == file.within || within == GSM && file.within == USIM;
        same.then_some(file)
    }

    /// File control parameters (ETSI TS 102 221 section 11.1.1.3).
    fn describe(&self, file: &File) -> Vec<u8> {
        let (kind, size) = match &file.content {
            Content::Directory => (vec![0x78, 0x21], 0),
            Content::Bytes(bytes) => (vec![0x41, 0x21], bytes.len()),
            Content::Records(records) => {
                let length = records.first().map_or(0, Vec::len);
                let kind = vec![0x42, 0x21, 0x00, length as u8, records.len() as u8];
                (kind, length * records.len())
            }
        };
        let mut parameters = object(0x82, &kind);
        parameters.extend(match file.id {
            USIM => object(0x84, &APPLICATION),
            id => object(0x83, &id.to_be_bytes()),
        });
        if file.id == MASTER_FILE {
            // The clock may be stopped, at whatever level.
            parameters.extend(object(0xa5, &object(0x80, &[0x71])));
        }
        // Activated.
        parameters.extend(object(0x8a, &[0x05]));
        if matches!(file.content, Content::Directory) {
            // Nothing can be created here.
            parameters.extend(object(0xab, &[0x80, 0x01, 0x06, 0x97, 0x00]));
            let enabled = [if self.asks_for_pin { 0x80 } else { 0x00 }];
            let pins = [object(0x90, &enabled), object(0x83, &[0x01])].concat();
            parameters.extend(object(0xc6, &pins));
        } else {
            let mut rights = object(0x80, &[0x01]);
            rights.extend(match file.readable {
                Readable::Always => object(0x90, &[]),
                Readable::WithPin => object(0xa4, &[0x83, 0x01, 0x01, 0x95, 0x01, 0x08]),
            });
            // Never written.
            rights.extend([0x80, 0x01, 0x02, 0x97, 0x00]);
            parameters.extend(object(0xab, &rights));
            parameters.extend(object(0x80, &(size as u16).to_be_bytes()));
            parameters.extend(object(0x88, &[file.short_id << 3]));
        }
        object(0x62, &parameters)
    }
}

fn read_binary(bytes: &[u8], command: &CardCommand<'_>) -> Result<Vec<u8>, StatusWord> {
    // The highest bit would name another file by its short identifier.
    if command.p1 >= 0x80 {
        return Err(WRONG_MODE);
    }
    let offset = usize::from(u16::from_be_bytes([command.p1, command.p2]));
    let rest = bytes.get(offset..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or(OUTSIDE)?;
    Ok(rest[..command.length(rest.len())?].to_vec())
}

/// P1 is the number of the record, P2 how it counts (ETSI TS 102 221 section 11.1.5). No record of
/// a file that was just selected is the current one.
fn read_record(records: &[Vec<u8>], command: &CardCommand<'_>) -> Result<Vec<u8>, StatusWord> {
    const NEXT: u8 = 2;
    const PREVIOUS: u8 = 3;
    const ABSOLUTE: u8 = 4;
    let record = match command.p2 {
        NEXT => records.first(),
        PREVIOUS => records.last(),
        ABSOLUTE => usize::from(command.p1)
            .checked_sub(1)
            .and_then(|place| records.get(place)),
        _ => return Err(WRONG_MODE),
    };
    let record = record.ok_or(RECORD_NOT_FOUND)?;
    match command.length(record.len())? {
        length if length == record.len() => Ok(record.clone()),
        _ => Err(WRONG_LENGTH),
    }
}

/// The record of the USIM in the list of applications.
fn application() -> Vec<u8> {
    let label = object(0x50, b"USIM");
    object(0x61, &[object(0x4f, &APPLICATION), label].concat())
}

/// A data object: tag, length, value. None of those here has more than 127 bytes.
fn object(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut object = vec![tag, value.len() as u8];
    object.extend_from_slice(value);
    object
}

/// Digits as a card stores them: two a byte, the first one in the lower half.
fn swapped(digits: &str) -> Vec<u8> {
    let digit = |byte: &u8| byte.wrapping_sub(b'0') & 0x0f;
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| digit(&pair[0]) | pair.get(1).map_or(0x0f, digit) << 4)
        .collect()
}

#[cfg(test)]
mod tests;
