//! Opening real ports.

use std::error::Error as _;
use std::time::Duration;

use atmq_driver::{Modem, OpenError, Settings, open_port};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpListener;

use crate::module::wire;

#[tokio::test]
async fn a_tcp_peer_stands_for_a_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let module = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 3];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(b"\r\nOK\r\n").await.unwrap();
        heard
    });
    let settings = Settings::default();
    let port = open_port(&format!("tcp://{address}"), &settings).await;
    let modem = Modem::over(port.unwrap(), settings);
    modem.attention().await.unwrap();
    assert_eq!(&module.await.unwrap(), b"AT\r");
}

/// Whatever buffers must be told to let go.
#[tokio::test(start_paused = true)]
async fn a_stream_that_buffers_is_flushed() {
    let (host, mut module) = wire(64);
    let modem = Modem::over(BufStream::new(host), Settings::default());
    let script = async {
        let mut heard = [0; 3];
        module.read_exact(&mut heard).await.unwrap();
        module.write_all(b"\r\nOK\r\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(modem.attention(), script);
    outcome.unwrap();
}

#[tokio::test]
async fn a_device_that_is_not_there_is_named() {
    let error = Modem::open("/dev/no-such-device", Settings::default())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Device { .. }));
    assert_eq!(error.to_string(), "cannot open /dev/no-such-device");
    assert!(error.source().is_some());
}

/// The module speaks 57600, and hears and says garbage at other rates.
#[cfg(unix)]
#[tokio::test]
async fn the_rate_is_looked_for() {
    use tokio_serial::{SerialPort as _, SerialStream};

    let (mut module, host) = SerialStream::pair().unwrap();
    let path = host.name().unwrap();
    drop(host);
    let script = async {
        let mut heard = Vec::new();
        let mut buffer = [0; 64];
        loop {
            let length = module.read(&mut buffer).await.unwrap();
            if module.baud_rate().unwrap() != 57_600 {
                module.write_all(b"\xf8\x00\x86").await.unwrap();
                continue;
            }
            heard.extend_from_slice(&buffer[..length]);
            while let Some(end) = heard.iter().position(|byte| *byte == b'\r') {
                let line: Vec<u8> = heard.drain(..=end).collect();
                let answer: &[u8] = match &line[..] {
                    b"AT+CMEE?\r" => b"\r\n+CMEE: 0\r\n\r\nOK\r\n",
                    b"AT+CGMM\r" => b"\r\nNT35E\r\n\r\nOK\r\n",
                    _ => b"\r\nOK\r\n",
                };
                module.write_all(answer).await.unwrap();
            }
        }
    };
    let settings = Settings::default()
        .baud_rate(9600)
        .auto_baud(true)
        .fresh(true);
    let host = async {
        let modem = Modem::open(&path, settings).await.unwrap();
        modem.attention().await.unwrap();
    };
    tokio::select! {
        () = host => {}
        () = script => {}
    }
}

/// What arrives at a wrong rate is data as well, for a module that an earlier program left at a
/// prompt.
#[cfg(unix)]
#[tokio::test]
async fn one_at_is_sent_before_the_module_has_had_time_to_give_up_its_prompt() {
    use tokio_serial::{SerialPort as _, SerialStream};

    let (mut module, host) = SerialStream::pair().unwrap();
    let path = host.name().unwrap();
    drop(host);
    let settings = Settings::default().auto_baud(true);
    let listen = async {
        let mut heard = Vec::new();
        loop {
            heard.push(module.read_u8().await.unwrap());
            assert!(b"AT\r".starts_with(&heard), "{}", heard.escape_ascii());
        }
    };
    // Three tries at the first rate would take 0.9 s.
    let while_listening = async {
        tokio::select! {
            outcome = Modem::open(&path, settings) => panic!("{outcome:?}"),
            () = listen => {}
        }
    };
    let patience = Duration::from_secs(2);
    tokio::time::timeout(patience, while_listening)
        .await
        .expect_err("nothing ends");
}

/// A PTY takes any baud rate, and knows no control lines.
#[cfg(unix)]
#[tokio::test]
async fn a_pty_is_a_port() {
    use tokio_serial::{SerialPort as _, SerialStream};

    let (mut module, host) = SerialStream::pair().unwrap();
    let path = host.name().unwrap();
    // A port is open once at a time.
    drop(host);
    let script = async {
        let mut heard = [0; 7];
        module.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"AT+CSQ\r");
        module
            .write_all(b"\r\n+CSQ: 29,0\r\n\r\nOK\r\n")
            .await
            .unwrap();
    };
    let settings = Settings::default().baud_rate(921_600);
    let port = open_port(&path, &settings).await.unwrap();
    let modem = Modem::over(port, settings);
    let (quality, ()) = tokio::join!(modem.signal_quality(), script);
    assert_eq!(quality.unwrap().rssi, 29);
}
