use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use serde_json::{Value, json};
use serialport::{SerialPortInfo, SerialPortType, UsbPortInfo, available_ports};

use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::output::print_line;
use crate::visible::json as to_line;

/// List the serial ports of this machine
///
/// Shows the USB ids, a name that stays the same when the device is plugged in elsewhere, and whether
/// you may open the port. Pseudo terminals, such as those of `atmq emulate`, are not listed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one line of JSON for each port
    #[arg(long)]
    json: bool,
}

/// What USB devices with a serial port are, by vendor and perhaps product. From general knowledge
/// of these vendors; none has been compared with hardware by this project.
const KNOWN: [(u16, Option<u16>, &str); 7] = [
    (0x0403, None, "FTDI adapter, the module's UART is behind it"),
    (
        0x067b,
        None,
        "Prolific adapter, the module's UART is behind it",
    ),
    (
        0x10c4,
        None,
        "Silicon Labs CP210x adapter, the module's UART is behind it",
    ),
    (
        0x19d1,
        Some(0x0001),
        "EigenComm EC618, a module with several ports: one of them is for AT",
    ),
    (
        0x1a86,
        None,
        "WCH CH340 adapter, the module's UART is behind it",
    ),
    (
        0x1e0e,
        None,
        "SIMCom module, with several ports: one of them is for AT",
    ),
    (
        0x2c7c,
        None,
        "Quectel module, with several ports: one of them is for AT",
    ),
];

pub(crate) fn run(arguments: &Arguments, quiet: bool) -> Result<(), Failure> {
    let mut ports = found()?;
    ports.sort_by(|one, other| one.name.cmp(&other.name));
    for port in &ports {
        match arguments.json {
            true => print_line(to_line(&port.to_json()))?,
            false => print_line(port.to_text())?,
        }
    }
    if ports.is_empty() && !quiet {
        tell("no serial port; is the adapter plugged in, and its driver loaded?");
    }
    Ok(())
}

fn found() -> Result<Vec<Port>, Failure> {
    // Where this is missing, the library that lists ports panics.
    if cfg!(target_os = "linux") && !Path::new("/sys/class/tty").is_dir() {
        return Ok(Vec::new());
    }
    let ports = available_ports().map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot list the serial ports: {error}"),
        )
    })?;
    Ok(ports.into_iter().map(Port::new).collect())
}

/// A serial port, and what can be told of it without opening it.
#[derive(Debug)]
struct Port {
    name: String,
    usb: Option<UsbPortInfo>,
    kind: &'static str,
    /// A name that stays the same when the device is plugged in elsewhere.
    by_id: Option<PathBuf>,
    /// Whether this user may open it.
    permitted: bool,
}

impl Port {
    fn new(info: SerialPortInfo) -> Self {
        let (kind, usb) = match info.port_type {
            SerialPortType::UsbPort(usb) => ("usb", Some(usb)),
            SerialPortType::PciPort => ("pci", None),
            SerialPortType::BluetoothPort => ("bluetooth", None),
            SerialPortType::Unknown => ("built in", None),
        };
        Self {
            by_id: stable_name(Path::new("/dev/serial/by-id"), Path::new(&info.port_name)),
            permitted: access(&info.port_name, Access::READ_OK | Access::WRITE_OK).is_ok(),
            name: info.port_name,
            usb,
            kind,
        }
    }

    fn known(&self) -> Option<&'static str> {
        let usb = self.usb.as_ref()?;
        let is_it = |(vendor, product, _): &&(u16, Option<u16>, _)| {
            *vendor == usb.vid && product.is_none_or(|product| product == usb.pid)
        };
        KNOWN.iter().find(is_it).map(|(.., what)| *what)
    }

    fn to_json(&self) -> Value {
        let usb = self.usb.as_ref().map(|usb| {
            json!({
                "vendor_id": format!("{:04x}", usb.vid),
                "product_id": format!("{:04x}", usb.pid),
                "manufacturer": usb.manufacturer,
                "product": usb.product,
                "serial_number": usb.serial_number,
            })
        });
        json!({
            "event": "port",
            "port": self.name,
            "kind": self.kind,
            "usb": usb,
            "known": self.known(),
            "by_id": self.by_id,
            "permitted": self.permitted,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("{}  {}", self.name, self.kind);
        if let Some(usb) = &self.usb {
            text.push_str(&format!(" {:04x}:{:04x}", usb.vid, usb.pid));
            for words in [&usb.manufacturer, &usb.product].into_iter().flatten() {
                text.push(' ');
                text.push_str(words);
            }
        }
        if let Some(known) = self.known() {
            text.push_str(": ");
            text.push_str(known);
        }
        if !self.permitted {
            text.push_str("; you may not open it, ");
            text.push_str(&join_group(Path::new(&self.name)));
        }
        if let Some(by_id) = &self.by_id {
            text.push_str(&format!("\n  {}", by_id.display()));
        }
        text
    }
}

/// What somebody is to do who may not open the device.
pub(crate) fn join_group(device: &Path) -> String {
    let name = fs::metadata(device).ok().and_then(|metadata| {
        let groups = fs::read_to_string("/etc/group").ok()?;
        group_name(&groups, metadata.gid()).map(str::to_owned)
    });
    match name {
        Some(name) if name != "root" => {
            format!("join the group that owns it: sudo usermod -aG {name} $USER, and log in again")
        }
        _ => "ask whoever administers this machine".into(),
    }
}

/// The name of a group, by the lines `name:password:number:members` of `/etc/group`.
fn group_name(groups: &str, number: u32) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(number)).then_some(name)
    })
}

/// The link in `directory` that leads to the device.
fn stable_name(directory: &Path, device: &Path) -> Option<PathBuf> {
    let device = fs::canonicalize(device).ok()?;
    let entries = fs::read_dir(directory).ok()?.flatten();
    let mut links = entries.map(|entry| entry.path());
    links.find(|link| fs::canonicalize(link).is_ok_and(|target| target == device))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(vid: u16, pid: u16) -> Port {
        Port {
            name: "/dev/ttyUSB0".into(),
            usb: Some(UsbPortInfo {
                vid,
                pid,
                serial_number: None,
                manufacturer: Some("QinHeng".into()),
                product: None,
            }),
            kind: "usb",
            by_id: Some("/dev/serial/by-id/usb-1a86".into()),
            permitted: true,
        }
    }

    #[test]
    fn an_adapter_is_known_by_its_vendor_and_a_module_by_its_product() {
        assert_eq!(
            port(0x1a86, 0x7523).to_text(),
            "/dev/ttyUSB0  usb 1a86:7523 QinHeng: WCH CH340 adapter, the module's UART is behind \
             it\n  /dev/serial/by-id/usb-1a86"
        );
        assert!(
            port(0x19d1, 1)
                .known()
                .is_some_and(|known| known.contains("EC618"))
        );
        assert_eq!(port(0x19d1, 2).known(), None);
        assert_eq!(port(0x1a86, 0x7523).to_json()["usb"]["vendor_id"], "1a86");
    }

    #[test]
    fn who_may_not_open_a_device_is_told_the_group() {
        let groups = "root:x:0:\ndialout:x:20:alice,bob\nbroken\nplugdev:x:46:\n";
        assert_eq!(group_name(groups, 20), Some("dialout"));
        assert_eq!(group_name(groups, 21), None);
        // It belongs to the administrator.
        assert!(join_group(Path::new("/dev/null")).starts_with("ask whoever"));
    }

    #[test]
    fn a_link_to_the_device_is_its_stable_name() {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let (device, link) = (directory.path().join("tty"), directory.path().join("id"));
        fs::write(&device, "").expect("a file can be written");
        std::os::unix::fs::symlink(&device, &link).expect("a link can be made");
        let links = directory.path().join("links");
        fs::create_dir(&links).expect("a directory can be made");
        std::os::unix::fs::symlink(&device, links.join("usb-1")).expect("a link can be made");
        assert_eq!(stable_name(&links, &link), Some(links.join("usb-1")));
        assert_eq!(stable_name(&links, &links), None);
        assert_eq!(stable_name(&device, &link), None);
    }
}
