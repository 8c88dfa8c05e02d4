//! What a thousand emulated modules in one process cost: memory for each, messages a second, and
//! the processor's time when they take theirs, against the floor of as many plain MQTT clients on
//! the same broker in the same run.
//!
//! `cargo bench -p atmq-emulator` prints all of it. Everything runs on one thread: modules, their hosts
//! on serial lines in memory, the TCP links, and the embedded broker. Absolute times depend on the
//! machine and on what else it does; what is allocated does not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use atmq_emulator::broker::Broker;
use atmq_emulator::{Emulator, HostMap, NetworkOptions, Profile, StreamPort};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

const MODULES: usize = 1000;
/// Messages of each module and round, one after another.
const MESSAGES: usize = 20;
const ROUNDS: usize = 5;
/// How long modules are watched that take their time.
const SECONDS: u64 = 5;
/// Bytes of the payload.
const PAYLOAD: usize = 64;

/// A PUBLISH with QoS 1 to topic `t`, and its PUBACK.
fn packets() -> (Vec<u8>, Vec<u8>) {
    let mut publish = vec![0x32, (5 + PAYLOAD) as u8, 0, 1, b't', 0, 1];
    publish.extend([b'x'; PAYLOAD]);
    (publish, b"\x40\x02\x00\x01".to_vec())
}

/// The same as a host types it, and what the module answers.
fn lines() -> (Vec<u8>, Vec<u8>) {
    let payload = "x".repeat(PAYLOAD);
    let command = format!("AT+LMQTTPUB=0,1,1,0,\"t\",{PAYLOAD},\"{payload}\"\r");
    let answer = b"\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n".to_vec();
    (command.into_bytes(), answer)
}

/// Says something and hears this.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(line: &mut S, said: &[u8], answer: &[u8]) {
    line.write_all(said).await.expect("the other end is there");
    let mut heard = [0; 256];
    let heard = &mut heard[..answer.len()];
    line.read_exact(heard)
        .await
        .expect("the other end is there");
    assert_eq!(
        heard.escape_ascii().to_string(),
        answer.escape_ascii().to_string()
    );
}

/// A plain client, connected.
async fn client(broker: SocketAddr, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(broker)
        .await
        .expect("the broker listens");
    stream.set_nodelay(true).expect("a TCP socket");
    let client_id = format!("{number:04}");
    let connect = [
        b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04",
        client_id.as_bytes(),
    ]
    .concat();
    exchange(&mut stream, &connect, b"\x20\x02\x00\x00").await;
    stream
}

/// A host whose module is connected.
async fn host(profile: Arc<Profile>, network: NetworkOptions, number: usize) -> DuplexStream {
    let (mut host, port) = duplex(1024);
    let emulator = Emulator::new(profile).network(network);
    tokio::spawn(emulator.serve(StreamPort(port)));
    let connect = format!("AT+LMQTTCONN=0,\"m{number:04}\"\r");
    for (command, answer) in [
        ("ATE0\r", "ATE0\r\nOK\r\n"),
        ("AT+LMQTTCFG=\"session\",0,1\r", "\r\nOK\r\n"),
        (
            "AT+LMQTTOPEN=0,\"broker\",1883\r",
            "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n",
        ),
        (&connect, "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n"),
    ] {
        exchange(&mut host, command.as_bytes(), answer.as_bytes()).await;
    }
    host
}

/// Has all of them say it at the same time, again and again, and returns how long that takes.
fn round<S>(runtime: &Runtime, lines: &mut Vec<S>, said: &[u8], answer: &[u8]) -> Duration
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (said, answer): (Arc<[u8]>, Arc<[u8]>) = (said.into(), answer.into());
    let start = Instant::now();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for mut line in lines.drain(..) {
            let (said, answer) = (Arc::clone(&said), Arc::clone(&answer));
            tasks.spawn(async move {
                for _ in 0..MESSAGES {
                    exchange(&mut line, &said, &answer).await;
                }
                line
            });
        }
        lines.extend(tasks.join_all().await);
    });
    start.elapsed()
}

/// Has each of them say it once a second, spread over the second, and returns what part of the
/// time the processor was at work.
fn leisurely<S>(runtime: &Runtime, lines: Vec<S>, said: &[u8], answer: &[u8]) -> f64
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (said, answer): (Arc<[u8]>, Arc<[u8]>) = (said.into(), answer.into());
    let (start, worked) = (Instant::now(), processor_time());
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (number, mut line) in (0..).zip(lines) {
            let (said, answer) = (Arc::clone(&said), Arc::clone(&answer));
            let first = start + Duration::from_secs(1) * number / MODULES as u32;
            tasks.spawn(async move {
                for second in 0..SECONDS {
                    sleep_until((first + Duration::from_secs(second)).into()).await;
                    exchange(&mut line, &said, &answer).await;
                }
            });
        }
        tasks.join_all().await;
    });
    (processor_time() - worked).as_secs_f64() / start.elapsed().as_secs_f64()
}

/// What this process has taken of the processor so far.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What all together hold on the heap, and the fastest of some rounds: what disturbs a round only
/// makes it slower.
struct Cost<S> {
    bytes_each: i64,
    messages_per_second: f64,
    lines: Vec<S>,
}

fn cost<S, F>(
    runtime: &Runtime,
    connect: impl Fn(usize) -> F,
    said: &[u8],
    answer: &[u8],
) -> Cost<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = S>,
{
    let mut lines = Vec::with_capacity(MODULES);
    let mut fastest = Duration::MAX;
    // After the first round the buffers are as large as they get.
    let held = measure(|| {
        runtime.block_on(async {
            for number in 0..MODULES {
                lines.push(connect(number).await);
            }
        });
        fastest = round(runtime, &mut lines, said, answer);
    });
    for _ in 1..ROUNDS {
        fastest = fastest.min(round(runtime, &mut lines, said, answer));
    }
    Cost {
        bytes_each: held.bytes_current / MODULES as i64,
        messages_per_second: (MODULES * MESSAGES) as f64 / fastest.as_secs_f64(),
        lines,
    }
}

fn main() {
    // Each module has a socket, and the broker one for it.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit up to the maximum may be set");
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let broker = runtime.block_on(Broker::bind("127.0.0.1:0"));
    let broker = broker.expect("a free port");
    let address = broker.local_addr();

    let (publish, puback) = packets();
    let floor = cost(
        &runtime,
        |number| client(address, number),
        &publish,
        &puback,
    );
    report("plain clients (floor)", &floor, &floor);
    let network = NetworkOptions {
        hosts: HostMap::everything_to("127.0.0.1", address.port()).into(),
        ..NetworkOptions::default()
    };
    let (said, answer) = lines();
    let profile = Arc::new(Profile::nt35e().instant());
    let connect = |number| host(Arc::clone(&profile), network.clone(), number);
    let modules = cost(&runtime, connect, &said, &answer);
    report("modules", &modules, &floor);
    drop(modules);

    let floor = leisurely(&runtime, floor.lines, &publish, &puback);
    let profile = Arc::new(Profile::nt35e());
    let slow = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for number in 0..MODULES {
            tasks.spawn(host(Arc::clone(&profile), network.clone(), number));
        }
        tasks.join_all().await
    });
    let modules = leisurely(&runtime, slow, &said, &answer);
    println!(
        "one message a second each, at the pace of a real module: {:.0} % of a core, {:.1} × floor",
        modules * 100.0,
        modules / floor,
    );
}

fn report<S, F>(name: &str, cost: &Cost<S>, floor: &Cost<F>) {
    println!(
        "{MODULES} {name:22} {:6.1} KiB each, {:5.1} × floor {:8.0} messages a second, {:4.2} × floor",
        cost.bytes_each as f64 / 1024.0,
        cost.bytes_each as f64 / floor.bytes_each as f64,
        cost.messages_per_second,
        cost.messages_per_second / floor.messages_per_second,
    );
}
