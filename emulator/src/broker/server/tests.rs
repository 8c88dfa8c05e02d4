//! The broker on a real socket: what the core cannot show.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::broker::{ConnectReturnCode, Credentials, Limits};
use crate::within::within;

const ACCEPTED: [u8; 4] = [0x20, 2, 0, 0];

fn connect(client_id: u8) -> Vec<u8> {
    [b"\x10\x0D\0\x04MQTT\x04\x02\0\0\0\x01", &[client_id][..]].concat()
}

async fn connected(broker: &Broker, client_id: u8) -> TcpStream {
    let mut stream = TcpStream::connect(broker.local_addr()).await.unwrap();
    stream.write_all(&connect(client_id)).await.unwrap();
    expect(&mut stream, &ACCEPTED).await;
    stream
}

async fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    within(stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(bytes, expected);
}

/// Reads to the end, which may be an abrupt one, and tells how many bytes came.
async fn drain(mut stream: TcpStream) -> usize {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        total += length;
    }
    total
}

#[tokio::test]
async fn shutdown_closes_listener_and_connections() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let address = broker.local_addr();
    let stream = connected(&broker, b'a').await;
    within(broker.shutdown()).await;
    assert_eq!(within(drain(stream)).await, 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn dropping_stops_it_too() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let stream = connected(&broker, b'a').await;
    drop(broker);
    assert_eq!(within(drain(stream)).await, 0);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let second = Broker::bind(broker.local_addr()).await;
    assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_refused_client_is_told_before_the_end() {
    let refuse = |_: &Credentials| ConnectReturnCode::NotAuthorized;
    let core = Core::default().authenticated_by(refuse);
    let broker = Broker::bind_core("127.0.0.1:0", core).await.unwrap();
    let mut stream = TcpStream::connect(broker.local_addr()).await.unwrap();
    stream.write_all(&connect(b'a')).await.unwrap();
    expect(&mut stream, &[0x20, 2, 0, 5]).await;
    assert_eq!(within(drain(stream)).await, 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_the_others_are_served() {
    const MESSAGES: usize = 64;
    const PAYLOAD: usize = 1 << 20;
    let limits = Limits {
        packet_bytes: 2 << 20,
        outgoing_bytes: 4 << 20,
        ..Limits::default()
    };
    let broker = Broker::bind_core("127.0.0.1:0", Core::new(limits))
        .await
        .unwrap();
    let mut slow = connected(&broker, b's').await;
    slow.write_all(b"\x82\x06\0\x01\0\x01t\0").await.unwrap();
    expect(&mut slow, b"\x90\x03\0\x01\0").await;
    let mut publisher = connected(&broker, b'p').await;
    // Remaining length 1 MiB + 3, in seven-bit groups.
    let message = [b"\x30\x83\x80\x40\0\x01t", vec![7; PAYLOAD].as_slice()].concat();
    for _ in 0..MESSAGES {
        publisher.write_all(&message).await.unwrap();
    }
    publisher.write_all(b"\xC0\0").await.unwrap();
    expect(&mut publisher, b"\xD0\0").await;
    assert!(within(drain(slow)).await < MESSAGES * PAYLOAD);
    assert_eq!(broker.counters().await.received, MESSAGES as u64);
}

#[tokio::test]
async fn a_client_that_reads_gets_more_than_may_wait() {
    const MESSAGES: usize = 200;
    let limits = Limits {
        outgoing_bytes: 64 << 10,
        ..Limits::default()
    };
    let broker = Broker::bind_core("127.0.0.1:0", Core::new(limits))
        .await
        .unwrap();
    let mut client = connected(&broker, b'c').await;
    client.write_all(b"\x82\x06\0\x01\0\x01t\0").await.unwrap();
    expect(&mut client, b"\x90\x03\0\x01\0").await;
    // Remaining length 4,003.
    let message = [b"\x30\xA3\x1F\0\x01t", [7; 4_000].as_slice()].concat();
    for _ in 0..MESSAGES {
        client.write_all(&message).await.unwrap();
        expect(&mut client, &message).await;
    }
}

#[tokio::test(start_paused = true)]
async fn keep_alive_runs_on_the_clock_of_tokio() {
    let broker = Broker::bind("127.0.0.1:0").await.unwrap();
    let mut stream = TcpStream::connect(broker.local_addr()).await.unwrap();
    let begin = tokio::time::Instant::now();
    // An hour of keep-alive.
    stream
        .write_all(b"\x10\x0D\0\x04MQTT\x04\x02\x0E\x10\0\x01a")
        .await
        .unwrap();
    expect(&mut stream, &ACCEPTED).await;
    assert_eq!(drain(stream).await, 0);
    assert!(begin.elapsed() >= Duration::from_secs(5_400));
}
