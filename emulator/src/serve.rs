use std::io;
use std::time::{Instant, SystemTime};

use tokio::time::sleep_until;

use crate::lint::Finding;
use crate::modem::Modem;
use crate::network::{Network, NetworkOptions};
use crate::port::{Patient, Port};
use crate::profile::Profile;

/// Runs a module on a port until no host can come back: the one task that reads a clock and moves
/// bytes between the host, the [`Modem`] and the network. `seed` decides how latencies are spread.
///
/// Dropping the future is as if the module lost its power: links are cut, wills are published.
///
/// # Errors
/// The port fails.
pub async fn serve(
    profile: Profile,
    seed: u64,
    network: NetworkOptions,
    port: impl Port,
) -> io::Result<()> {
    serve_linted(profile, seed, network, port, |_| {}).await
}

/// As [`serve`], and tells of everything that the host does and should not.
///
/// # Errors
/// The port fails.
pub async fn serve_linted(
    profile: Profile,
    seed: u64,
    network: NetworkOptions,
    port: impl Port,
    mut on_finding: impl FnMut(Finding),
) -> io::Result<()> {
    let mut modem = Modem::new(profile, seed, now(), SystemTime::now());
    let mut network = Network::new(network);
    let mut port = Patient::new(port);
    let mut buffer = vec![0; 1024];
    loop {
        while let Some(request) = modem.poll_network() {
            network.request(request);
        }
        if let Some(bytes) = modem.poll_transmit() {
            port.write(&bytes).await?;
        }
        while let Some(finding) = modem.poll_finding() {
            on_finding(finding);
        }
        let due = modem.poll_timeout();
        let room = modem.input_capacity().min(buffer.len());
        let takes_host = room > 0 && !network.is_congested();
        tokio::select! {
            length = port.port.read(&mut buffer[..room]), if takes_host => {
                match length? {
                    0 => return Ok(()),
                    length => modem.receive(&buffer[..length], now()),
                }
            }
            event = network.next_event(), if modem.takes_network() => {
                modem.handle_network(event, now());
            }
            () = sleep_until(due.unwrap_or_else(now).into()), if due.is_some() => {
                modem.handle_timeout(now());
            }
        }
    }
}

/// The time, which tests can hold.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
