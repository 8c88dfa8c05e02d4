//! A mosquitto of the test's own, on a free loopback port.

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Set to `1` where mosquitto has to be there: then its absence fails the test.
const REQUIRED: &str = "ATMQ_REQUIRE_MOSQUITTO";

/// Directories to look in besides `PATH`, which often lacks `sbin`.
const MORE_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// How long mosquitto may take until it accepts connections.
const START_LIMIT: Duration = Duration::from_secs(10);

/// How often to try again when another program was quicker to take the free port.
const ATTEMPTS: usize = 5;

/// Files in its directory.
const CONFIG: &str = "mosquitto.conf";
const LOG: &str = "mosquitto.log";

/// A running mosquitto, killed on drop.
#[derive(Debug)]
pub struct Mosquitto {
    process: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Mosquitto {
    /// Starts a mosquitto that lets everyone in and stores nothing. `None`, with a line on
    /// standard output, if it is not installed.
    ///
    /// # Panics
    ///
    /// If it does not start, or if it is not installed and `ATMQ_REQUIRE_MOSQUITTO` is `1`.
    pub fn start() -> Option<Self> {
        Self::start_with(|_| String::new())
    }

    /// Like [`Mosquitto::start`], with more lines of configuration. They come last and settings
    /// are per listener: until they name a `listener` they are about the one of
    /// [`Mosquitto::address`]. `configure` is given a directory of this broker's own, for password
    /// files and certificates, and may be called more than once. [`free_port`] finds ports for
    /// further listeners.
    ///
    /// # Panics
    ///
    /// As [`Mosquitto::start`].
    pub fn start_with(configure: impl Fn(&Path) -> String) -> Option<Self> {
        let Some(program) = find_program("mosquitto") else {
            let required = env::var(REQUIRED).is_ok_and(|value| value == "1");
            assert!(
                !required,
                "{REQUIRED}=1, but there is no mosquitto in PATH or /usr/sbin"
            );
            println!("skipped: there is no mosquitto in PATH or /usr/sbin");
            return None;
        };
        let mut complaint = String::new();
        for _ in 0..ATTEMPTS {
            match Self::try_start(&program, &configure) {
                Ok(mosquitto) => return Some(mosquitto),
                Err(output) => complaint = output,
            }
        }
        panic!("mosquitto does not start: {complaint}");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The directory that was given to `configure`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills it from one moment to the next, as a crash would. What it had is gone.
    ///
    /// # Panics
    ///
    /// If it has ended before.
    pub fn kill(&mut self) {
        self.process.kill().expect("it is running");
        self.process.wait().expect("it can be waited for");
    }

    /// Starts one again where the killed one was, with the same configuration.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_again(&mut self) {
        let program = find_program("mosquitto").expect("it was there before");
        self.process = Self::spawn(&program, self.directory.path());
        self.wait_until_ready().expect("it starts again");
    }

    /// Starts it, or returns what it wrote before it gave up.
    fn try_start(program: &Path, configure: impl Fn(&Path) -> String) -> Result<Self, String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let config = directory.path().join(CONFIG);
        let lines = format!(
            // Started as root, mosquitto would become a user who cannot read this directory.
            "user root\npersistence false\nper_listener_settings true\n\
             listener {} 127.0.0.1\nallow_anonymous true\n{}\n",
            address.port(),
            configure(directory.path()),
        );
        fs::write(&config, lines).expect("the temporary directory can be written");
        let process = Self::spawn(program, directory.path());
        let mut mosquitto = Self {
            process,
            address,
            directory,
        };
        match mosquitto.wait_until_ready() {
            Ok(()) => Ok(mosquitto),
            Err(error) => Err(format!(
                "{error}\n{}",
                fs::read_to_string(mosquitto.directory().join(LOG)).unwrap_or_default()
            )),
        }
    }

    fn spawn(program: &Path, directory: &Path) -> Child {
        let output = File::create(directory.join(LOG));
        Command::new(program)
            .arg("-c")
            .arg(directory.join(CONFIG))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output.expect("the temporary directory can be written"))
            .spawn()
            .expect("mosquitto can be executed")
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let connected = TcpStream::connect(self.address);
            // Had another program taken the port meanwhile, mosquitto would have ended.
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            match connected {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A loopback TCP port that was free just now.
///
/// # Panics
///
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// A program in `PATH` or one of the directories where servers are installed.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(MORE_DIRECTORIES.map(PathBuf::from));
    directories
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw_mqtt::{Connect, RawClient, packet};

    #[test]
    fn extra_configuration_is_taken_and_drop_ends_it() {
        let port = free_port();
        let started = Mosquitto::start_with(|directory| {
            fs::write(directory.join("passwords"), "").expect("the directory can be written");
            let passwords = directory.join("passwords");
            format!(
                "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}",
                passwords.display()
            )
        });
        let Some(mosquitto) = started else {
            return;
        };
        let address = mosquitto.address();
        drop(RawClient::connect(address, &Connect::new("c")));
        let mut stranger = RawClient::open((Ipv4Addr::LOCALHOST, port).into());
        stranger.send(Connect::new("c").bytes());
        stranger.expect(packet(0x20, &[0, 5]));
        drop(mosquitto);
        assert!(TcpStream::connect(address).is_err());
    }
}
