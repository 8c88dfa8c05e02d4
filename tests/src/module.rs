//! An emulated module on a real pseudo terminal, and the driver on the other end of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use atmq_driver::{Client, ConnectOptions, Messages, Modem, Settings};
use atmq_emulator::{Control, Emulator, HostMap, NetworkOptions, Profile, Pty};
use tokio::task::AbortHandle;

/// An emulated module. All host names lead to one broker. Dropping it cuts its power.
pub struct Module {
    path: PathBuf,
    control: Control,
    task: AbortHandle,
}

impl Module {
    /// Switches a module on. Must be called within a tokio runtime.
    ///
    /// # Panics
    /// There is no pseudo terminal to be had.
    pub fn start(profile: Profile, broker: SocketAddr) -> Self {
        let pty = Pty::open().expect("there is a pseudo terminal");
        let path = pty.path().to_owned();
        let network = NetworkOptions {
            hosts: HostMap::everything_to(broker.ip().to_string(), broker.port()).into(),
            ..NetworkOptions::default()
        };
        let emulator = Emulator::new(profile).network(network);
        let control = emulator.control();
        let task = tokio::spawn(emulator.serve(pty)).abort_handle();
        Self {
            path,
            control,
            task,
        }
    }

    /// The serial device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the module and its world while it runs.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Opens the module's serial device with the driver.
    ///
    /// # Panics
    /// It cannot be opened, or the module does not answer.
    pub async fn modem(&self) -> Modem {
        self.modem_with(Settings::default()).await
    }

    /// The same, with settings of one's own.
    ///
    /// # Panics
    /// As [`Module::modem`].
    pub async fn modem_with(&self, settings: Settings) -> Modem {
        let path = self.path.to_string_lossy();
        let modem = Modem::open(&path, settings).await;
        modem.expect("the module can be opened")
    }

    /// Opens the module's serial device and connects to the broker.
    ///
    /// # Panics
    /// The module does not answer, or the broker refuses.
    pub async fn connect(&self, options: ConnectOptions) -> (Client, Messages) {
        let connected = self.modem().await.connect(options).await;
        connected.expect("the broker accepts the client")
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.task.abort();
    }
}
