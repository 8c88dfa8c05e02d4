//! What stands in the blocks of a file, whoever wrote it.

use std::collections::VecDeque;
use std::time::Duration;

use pcap_parser::pcapng::{Block, InterfaceDescriptionBlock, OptionCode};

use super::reader::{About, Record};
use super::recorder::WORLD;
use super::rtac::{self, Event};

/// Interfaces of one section. Ours: a capture has one, one that was merged a few.
const INTERFACES: usize = 256;

/// `LINKTYPE_RTAC_SERIAL`, as the parser has it.
pub(super) const SERIAL: i32 = rtac::LINK_TYPE as i32;

/// The obsolete packet block, in the byte order of its section.
const OBSOLETE_PACKET: u32 = 2;

/// What holds for the blocks that follow.
#[derive(Debug, Default)]
pub(super) struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

/// Where packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interface {
    /// A serial line.
    Serial {
        /// Of time, in a second.
        units: u64,
        /// Seconds that are added.
        offset: i64,
        /// It tells of what surrounds an emulated module.
        world: bool,
    },
    /// Something else.
    Other,
}

/// What blocks are read into.
pub(super) struct Blocks<'c> {
    pub(super) section: &'c mut Section,
    pub(super) about: &'c mut About,
    pub(super) records: &'c mut VecDeque<Record>,
}

/// A packet of pcapng, of whichever kind of block.
struct Packet<'b> {
    interface: u32,
    /// Both halves, in units of its interface.
    time: (u32, u32),
    /// As it was kept, and as it was.
    lengths: (u32, u32),
    /// With what fills it up.
    data: &'b [u8],
}

impl Blocks<'_> {
    pub(super) fn take(&mut self, block: &Block<'_>) -> Result<(), String> {
        match block {
            Block::SectionHeader(section) => {
                self.section.big_endian = section.big_endian();
                self.section.interfaces.clear();
                self.about.program = text(section.shb_userappl());
                let ours = self.about.program.as_ref();
                let ours = ours.is_some_and(|program| program.starts_with("atmq "));
                self.about.complete = ours.then_some(false);
                Ok(())
            }
            Block::InterfaceDescription(interface) => self.interface(interface),
            Block::EnhancedPacket(packet) => {
                let comments = packet.options.iter();
                let comments = comments.filter(|option| option.code == OptionCode::Comment);
                let comments = comments.filter_map(|option| option.as_bytes().ok());
                let comments = comments.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                let packet = Packet {
                    interface: packet.if_id,
                    time: (packet.ts_high, packet.ts_low),
                    lengths: (packet.caplen, packet.origlen),
                    data: packet.data,
                };
                self.packet_of(&packet, comments.collect())
            }
            Block::SimplePacket(_) => match self.section.interfaces.first() {
                Some(Interface::Other) => {
                    self.about.skipped += 1;
                    Ok(())
                }
                _ => Err("a packet without time (a simple packet block)".into()),
            },
            Block::Unknown(block) if self.section.number(block.block_type) == OBSOLETE_PACKET => {
                let packet = self.section.obsolete_packet(block.data);
                self.packet_of(&packet.ok_or("the packet there is cut short")?, Vec::new())
            }
            // Names, statistics and what else may be there tell nothing of the line.
            _ => Ok(()),
        }
    }

    fn interface(&mut self, interface: &InterfaceDescriptionBlock<'_>) -> Result<(), String> {
        if self.section.interfaces.len() == INTERFACES {
            return Err(format!("it has more than {INTERFACES} interfaces"));
        }
        let link_type = interface.linktype.0;
        if link_type != SERIAL {
            self.about.other.get_or_insert(link_type);
            self.section.interfaces.push(Interface::Other);
            return Ok(());
        }
        let units = match interface.if_tsresol {
            power @ ..=19 => Some(10_u64.pow(power.into())),
            power @ 0x80..=0xbf => Some(1 << (power & 0x7f)),
            _ => None,
        };
        let name = text(interface.if_name());
        let world = name.as_deref() == Some(WORLD);
        self.section.interfaces.push(Interface::Serial {
            units: units.ok_or("its unit of time is not known")?,
            offset: interface.if_tsoffset,
            world,
        });
        if !world {
            self.about.port = name;
        }
        self.about.serial = true;
        Ok(())
    }

    fn packet_of(&mut self, packet: &Packet<'_>, comments: Vec<String>) -> Result<(), String> {
        let interface = usize::try_from(packet.interface).ok();
        let interface = interface.and_then(|id| self.section.interfaces.get(id));
        let (units, offset, world) = match interface.ok_or("its interface is not described")? {
            Interface::Other => {
                self.about.skipped += 1;
                return Ok(());
            }
            Interface::Serial {
                units,
                offset,
                world,
            } => (*units, *offset, *world),
        };
        let (high, low) = packet.time;
        let time = u64::from(high) << 32 | u64::from(low);
        let fraction = u128::from(time % units) * 1_000_000_000 / u128::from(units);
        // Less than a second in nanoseconds.
        let fraction = Duration::from_nanos(fraction as u64);
        let seconds = (time / units).saturating_add_signed(offset);
        let at = Duration::from_secs(seconds).saturating_add(fraction);
        self.packet(at, packet.data, packet.lengths, world, comments)
    }

    /// `lengths`: of the packet as it was kept, and as it was.
    pub(super) fn packet(
        &mut self,
        at: Duration,
        data: &[u8],
        (kept, whole): (u32, u32),
        world: bool,
        comments: Vec<String>,
    ) -> Result<(), String> {
        let length = usize::try_from(kept).unwrap_or(usize::MAX);
        let data = data.get(..length).ok_or("its length is wrong")?;
        let missing = whole.saturating_sub(kept);
        let event = match rtac::decode(data) {
            None if missing == 0 => return Err("a packet is shorter than its header".into()),
            event => event,
        };
        let told = event == Some(Event::Other(rtac::ALARM)) && world;
        let of = if told { Event::World } else { Event::Comment };
        let events = comments.into_iter().map(of);
        let events = events.chain(event.filter(|_| !told));
        let cut = (missing > 0).then_some(Event::Cut(missing));
        self.about.cut += u64::from(missing > 0);
        let events = events.chain(cut).map(|event| Record { at, event });
        self.records.extend(events);
        Ok(())
    }
}

impl Section {
    /// A number that was read as little-endian.
    fn number(&self, read: u32) -> u32 {
        match self.big_endian {
            true => read.swap_bytes(),
            false => read,
        }
    }

    /// Takes a number off the front.
    fn take(&self, data: &mut &[u8]) -> Option<u32> {
        let (number, rest) = data.split_first_chunk()?;
        *data = rest;
        Some(self.number(u32::from_le_bytes(*number)))
    }

    /// What stands in an obsolete packet block; `None` if that is less than its header. Its first
    /// four bytes are the interface and a count of drops, 16 bits each.
    fn obsolete_packet<'b>(&self, mut data: &'b [u8]) -> Option<Packet<'b>> {
        let first = self.take(&mut data)?;
        let interface = match self.big_endian {
            true => first >> 16,
            false => first & 0xffff,
        };
        Some(Packet {
            interface,
            time: (self.take(&mut data)?, self.take(&mut data)?),
            lengths: (self.take(&mut data)?, self.take(&mut data)?),
            data,
        })
    }
}

pub(super) fn not_serial(link_type: i32) -> String {
    format!("it is a capture of link type {link_type}, not of a serial line (RTAC serial, 250)")
}

/// An option that is text, as far as it is there and can be shown.
fn text<E>(option: Option<Result<&str, E>>) -> Option<String> {
    let text = option?.ok()?;
    let shown = text.chars().filter(|character| !character.is_control());
    Some(shown.take(200).collect())
}
