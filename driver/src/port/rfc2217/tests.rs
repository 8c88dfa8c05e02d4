//! Bytes as RFC 2217 and RFC 854 have them, typed by hand: none comes from a library.

use tokio::net::TcpListener;

use super::*;

const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
const WILL: u8 = 251;
const DO: u8 = 253;
const DONT: u8 = 254;
/// COM-PORT-OPTION.
const COM: u8 = 44;

/// A bridge that is a script.
struct Bridge {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Bridge {
    /// Listens, and opens a port that leads to it.
    async fn open(
        settings: Settings,
        script: impl AsyncFnOnce(&mut Self),
    ) -> (io::Result<Rfc2217>, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        let (host, bridge) = tokio::join!(stream, listener.accept());
        let mut bridge = Self {
            stream: bridge.unwrap().0,
            heard: Vec::new(),
        };
        let (opened, ()) =
            tokio::join!(Rfc2217::open(host.unwrap(), &settings), script(&mut bridge));
        (opened, bridge)
    }

    /// Waits until it has heard this, among other things.
    async fn hears(&mut self, wanted: &[u8]) {
        let waiting = async {
            loop {
                let mut windows = self.heard.windows(wanted.len());
                if let Some(at) = windows.position(|window| window == wanted) {
                    self.heard.drain(at..at + wanted.len());
                    return;
                }
                let mut chunk = [0; 256];
                let length = self.stream.read(&mut chunk).await.unwrap();
                assert_ne!(length, 0, "the port is closed");
                self.heard.extend_from_slice(&chunk[..length]);
            }
        };
        let waited = timeout(Duration::from_secs(30), waiting).await;
        assert!(
            waited.is_ok(),
            "{wanted:?} has not come in {:?}",
            self.heard
        );
    }

    async fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Confirms what the port is set to: the value of each command, of which the server's number is
    /// 100 above the client's (RFC 2217 section 3).
    async fn takes_settings(&mut self, rate: [u8; 4], control: u8) {
        self.hears(&[IAC, WILL, COM]).await;
        self.says(&[
            IAC, DO, COM, IAC, WILL, 0, IAC, DO, 0, IAC, WILL, 3, IAC, DO, 3,
        ])
        .await;
        let [a, b, c, d] = rate;
        self.hears(&[IAC, SB, COM, 1, a, b, c, d, IAC, SE]).await;
        // 8 data bits, no parity, one stop bit.
        for (command, value) in [(2, 8), (3, 1), (4, 1), (5, control)] {
            self.hears(&[IAC, SB, COM, command, value, IAC, SE]).await;
        }
        self.says(&[IAC, SB, COM, 101, a, b, c, d, IAC, SE]).await;
        for (command, value) in [(102, 8), (103, 1), (104, 1), (105, control)] {
            self.says(&[IAC, SB, COM, command, value, IAC, SE]).await;
        }
    }
}

/// 115200 in network order.
const RATE: [u8; 4] = [0, 1, 194, 0];

#[tokio::test]
async fn the_bridge_sets_up_its_device_and_every_byte_passes() {
    let (port, mut bridge) = Bridge::open(Settings::default(), async |bridge| {
        // Left of an earlier session: nobody's answer.
        bridge.says(b"noise").await;
        // No flow control is 1.
        bridge.takes_settings(RATE, 1).await;
    })
    .await;
    let mut port = port.unwrap();
    let every_byte: Vec<u8> = (0..=255).collect();
    port.write_all(&every_byte).await.unwrap();
    port.flush().await.unwrap();
    // IAC in data is doubled, and nothing else is changed (RFC 854).
    let doubled = [&every_byte[..], &[IAC]].concat();
    bridge.hears(&doubled).await;
    // A report of the modem's lines in the middle of data is none of it.
    let [first, second] = [&doubled[..100], &doubled[100..]];
    let report: &[u8] = &[IAC, SB, COM, 107, 0xb0, IAC, SE];
    bridge.says(&[first, report, second].concat()).await;
    let mut heard = [0; 256];
    port.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard[..], every_byte[..]);
    drop(bridge);
    assert_eq!(port.read(&mut heard).await.unwrap(), 0);
}

#[tokio::test]
async fn rate_and_flow_control_are_those_of_the_settings() {
    let settings = Settings::default().baud_rate(9600).rts_cts(true);
    let (port, mut bridge) = Bridge::open(settings, async |bridge| {
        // RTS and CTS is 3.
        bridge.takes_settings([0, 0, 37, 128], 3).await;
    })
    .await;
    let mut port = port.unwrap();
    port.set_baud_rate(115_200).unwrap();
    port.write_all(b"AT\r").await.unwrap();
    port.flush().await.unwrap();
    let [a, b, c, d] = RATE;
    // In this order: what is written is written at the new rate.
    bridge.hears(&[IAC, SB, COM, 1, a, b, c, d, IAC, SE]).await;
    bridge.hears(b"AT\r").await;
}

#[tokio::test]
async fn who_does_not_speak_it_or_takes_another_rate_is_refused() {
    let (refused, _bridge) = Bridge::open(Settings::default(), async |bridge| {
        bridge.hears(&[IAC, WILL, COM]).await;
        bridge.says(&[IAC, DONT, COM]).await;
    })
    .await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("refused RFC 2217"), "{error}");
    let (refused, _bridge) = Bridge::open(Settings::default(), async |bridge| {
        bridge.hears(&[IAC, WILL, COM]).await;
        bridge.says(&[IAC, DO, COM]).await;
        bridge
            .hears(&[IAC, SB, COM, 1, 0, 1, 194, 0, IAC, SE])
            .await;
        bridge
            .says(&[IAC, SB, COM, 101, 0, 0, 37, 128, IAC, SE])
            .await;
        for (command, value) in [(102, 8), (103, 1), (104, 1), (105, 1)] {
            bridge.says(&[IAC, SB, COM, command, value, IAC, SE]).await;
        }
    })
    .await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("different values for: baud rate"), "{error}");
    let (refused, _bridge) = Bridge::open(Settings::default(), async |bridge| {
        bridge.hears(&[IAC, WILL, COM]).await;
        bridge.stream.shutdown().await.unwrap();
    })
    .await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}
