//! A broker that answers subscriptions as a test wants it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::Emulator;

/// A broker that accepts every client, and answers a SUBSCRIBE with what comes of its filter: the
/// codes of a SUBACK, or nothing at all.
pub(crate) fn broker<F>(suback: F) -> String
where
    F: Fn(&str) -> Option<&'static [u8]> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = listener.local_addr().expect("it listens").to_string();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let suback = suback.clone();
            thread::spawn(move || serve(client, suback));
        }
    });
    address
}

fn serve(mut client: TcpStream, suback: impl Fn(&str) -> Option<&'static [u8]>) -> Option<()> {
    loop {
        let mut head = [0; 2];
        client.read_exact(&mut head).ok()?;
        // All packets here are shorter than 128 bytes.
        let mut body = vec![0; head[1].into()];
        client.read_exact(&mut body).ok()?;
        match head[0] >> 4 {
            1 => client.write_all(&[0x20, 2, 0, 0]).ok()?,
            8 => {
                let filter = String::from_utf8_lossy(&body[4..body.len() - 1]);
                if let Some(codes) = suback(&filter) {
                    let length = u8::try_from(2 + codes.len()).ok()?;
                    let answer = [&[0x90, length, body[0], body[1]], codes].concat();
                    client.write_all(&answer).ok()?;
                }
            }
            _ => {}
        }
    }
}

/// A module whose links all go to this broker.
pub(crate) fn module_at(broker: &str) -> Emulator {
    Emulator::start([format!("--map=*={broker}")])
}
