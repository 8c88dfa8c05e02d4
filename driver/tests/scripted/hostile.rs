//! A module that goes silent, starts anew, lies and floods at every moment of a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use atmq_driver::{
    Client, Delivery, Disconnected, Messages, Modem, PublishError, QoS, Reason, ReasonKind,
    Settings,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connected::connected;
use crate::module::{line, options};

/// What stands in a message is no line and no answer.
const PAYLOAD: &[u8] = b"\r\nOK\r\n> ERROR\r\n+LMQTTPUB: 0,2,0\r\nend\r\n\x00\x1a\xff";

/// What a module says when it switches itself off.
const FAREWELL: &[u8] = b"NORMAL POWER DOWN\r\n";

/// What a module says when it starts.
const BANNER: &[u8] = b"^boot.rom'v'!\r\n\r\nRDY\r\n";

/// Published behind a prompt.
const DATA: &[u8] = b"\"\r\nAT+CFUN=0\r\x1a\x00";

/// What happens when the module has said as much as it was to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Silence,
    Reboot,
    PowerDown,
}

/// In which order `OK` and the report come, and whose report comes between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    OkFirst,
    ReportFirst,
    /// The report of another message, the own one, `OK`, both again.
    Crossed,
}

/// What the module's player and the test share.
#[derive(Debug)]
struct Control {
    said: AtomicUsize,
    limit: AtomicUsize,
    then: Then,
    order: Order,
    /// Bytes that it says at a time; with a pause behind each piece.
    piece: Piece,
    left: AtomicBool,
    /// What was said when the outcome of each step was told.
    marks: std::sync::Mutex<Vec<usize>>,
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Whole,
    Bytes(usize),
    /// One cut, at this byte of all that it says.
    CutAt(usize),
}

impl Control {
    fn new(limit: usize, then: Then, order: Order, piece: Piece) -> Arc<Self> {
        Arc::new(Self {
            said: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            then,
            order,
            piece,
            left: AtomicBool::new(false),
            marks: std::sync::Mutex::default(),
        })
    }

    fn marks(&self) -> Vec<usize> {
        self.marks.lock().unwrap().clone()
    }
}

struct Player {
    stream: DuplexStream,
    control: Arc<Control>,
}

impl Player {
    async fn play(mut self) -> Option<()> {
        loop {
            let mut line = Vec::new();
            loop {
                match self.stream.read_u8().await.ok()? {
                    b'\r' => break,
                    byte => line.push(byte),
                }
            }
            self.answer(&String::from_utf8_lossy(&line)).await?;
        }
    }

    async fn answer(&mut self, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split(',').collect();
        let report = match line.split_once('=').map_or(line, |(name, _)| name) {
            "AT+LMQTTCLOSE" => return self.say(b"\r\nERROR\r\n").await,
            "AT+CMEE?" => return self.say(b"\r\n+CMEE: 1\r\n\r\nOK\r\n").await,
            "AT+LMQTTOPEN" => "+LMQTTOPEN: 0,0".to_owned(),
            "AT+LMQTTCONN" => "+LMQTTCONN: 0,0,0".to_owned(),
            "AT+LMQTTDISC" => "+LMQTTDISC: 0,0".to_owned(),
            "AT+LMQTTSUBUNSUB" => format!("+LMQTTSUBUNSUB: 0,{},0,1", fields[2]),
            "AT+LMQTTPUB" => {
                if fields.len() == 6 {
                    let was_left = self.has_left();
                    self.say(b"\r\n> ").await?;
                    if self.has_left() != was_left {
                        return Some(());
                    }
                    let mut data = vec![0; fields[5].parse().unwrap()];
                    let patience = Duration::from_secs(30);
                    match timeout(patience, self.stream.read_exact(&mut data)).await {
                        Ok(read) => read.ok()?,
                        Err(_) => return self.say(b"\r\nERROR\r\n").await,
                    };
                    assert_eq!(
                        data.escape_ascii().to_string(),
                        DATA.escape_ascii().to_string()
                    );
                }
                format!("+LMQTTPUB: 0,{},0", fields[1])
            }
            _ => return self.say(b"\r\nOK\r\n").await,
        };
        let report = format!("\r\n{report}\r\n");
        let ok = "\r\nOK\r\n";
        let other = "\r\n+LMQTTPUB: 0,60000,2,6\r\n\r\n+LMQTTPUB: 3,1,2\r\n";
        let answer = match self.control.order {
            Order::OkFirst => format!("{ok}{report}"),
            Order::ReportFirst => format!("{report}{ok}"),
            Order::Crossed => format!("{other}{report}{ok}{other}{report}"),
        };
        self.say(answer.as_bytes()).await?;
        if !line.starts_with("AT+LMQTTOPEN") {
            self.mark();
        }
        if line.starts_with("AT+LMQTTPUB=0,3,") {
            let head = format!("\r\n+LMQTTURC: RECV,0,9,\"t,\\\",1\",{},", PAYLOAD.len());
            self.say(&[head.as_bytes(), PAYLOAD, b"\r\n"].concat())
                .await?;
            self.mark();
        }
        Some(())
    }

    /// Whether it has started anew, or switched itself off.
    fn has_left(&self) -> bool {
        self.control.left.load(Ordering::SeqCst)
    }

    fn mark(&self) {
        let said = self.control.said.load(Ordering::SeqCst);
        self.control.marks.lock().unwrap().push(said);
    }

    async fn say(&mut self, bytes: &[u8]) -> Option<()> {
        let said = self.control.said.load(Ordering::SeqCst);
        let limit = self.control.limit.load(Ordering::SeqCst);
        let length = bytes.len().min(limit.saturating_sub(said));
        let bytes = &bytes[..length];
        let pieces: Vec<&[u8]> = match self.control.piece {
            Piece::Whole => vec![bytes],
            Piece::Bytes(size) => bytes.chunks(size).collect(),
            Piece::CutAt(at) => {
                let (first, second) = bytes.split_at(at.saturating_sub(said).min(length));
                vec![first, second]
            }
        };
        for piece in pieces {
            self.stream.write_all(piece).await.ok()?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.control.said.fetch_add(length, Ordering::SeqCst);
        let ends = said + length == limit && self.control.then != Then::Silence;
        if ends && !self.control.left.swap(true, Ordering::SeqCst) {
            let farewell: &[u8] = match self.control.then {
                Then::PowerDown => FAREWELL,
                _ => BANNER,
            };
            self.stream.write_all(farewell).await.ok()?;
            if self.control.then == Then::Reboot {
                self.control.limit.store(usize::MAX, Ordering::SeqCst);
            }
            // What comes meanwhile is not heard.
            let mut unheard = [0; 64];
            let start = Instant::now() + Duration::from_millis(100);
            while let Ok(read) = timeout_at(start, self.stream.read(&mut unheard)).await {
                read.ok().filter(|length| *length > 0)?;
            }
        }
        Some(())
    }
}

fn hostile(control: &Arc<Control>) -> Modem {
    let (host, stream) = tokio::io::duplex(4096);
    let control = control.clone();
    tokio::spawn(Player { stream, control }.play());
    Modem::over(host, Settings::default())
}

/// How each step of a session ended.
struct Session {
    client: Option<(Client, Messages)>,
    done: Vec<bool>,
}

/// Connects, subscribes, publishes with each quality of service and receives. Each step ends, and
/// within its time.
async fn session(modem: &Modem) -> Session {
    let connect = timeout(Duration::from_secs(300), modem.connect(options()));
    let connected = connect.await.expect("the connect ends");
    let mut done = vec![connected.is_ok()];
    let Ok((client, mut messages)) = connected else {
        return Session { client: None, done };
    };
    // A fence in data mode, probes, the command itself.
    let patience = Duration::from_secs(35 + 16 + 30);
    let subscribe = timeout(patience, client.subscribe("t", QoS::AtLeastOnce));
    done.push(subscribe.await.expect("the subscribe ends").is_ok());
    for (payload, qos, delivery) in [
        (&b"plain"[..], QoS::AtMostOnce, Delivery::Sent),
        (DATA, QoS::AtLeastOnce, Delivery::Acknowledged),
        (b"plain", QoS::ExactlyOnce, Delivery::Acknowledged),
    ] {
        // The subscribe was the first to use an identifier.
        let publish = timeout(patience, client.publish("t", payload, qos, false));
        let outcome = publish.await.expect("the publish ends");
        if let Ok(known) = outcome {
            assert_eq!(known, delivery);
        }
        done.push(outcome.is_ok());
    }
    let message = timeout(Duration::from_secs(60), messages.recv()).await;
    let message = message.ok().flatten();
    if let Some(message) = &message {
        assert_eq!(message.payload, PAYLOAD);
        assert_eq!(message.topic, "t,\\\",1");
    }
    done.push(message.is_some());
    let client = Some((client, messages));
    Session { client, done }
}

/// The outcomes of a session that goes well, and what the module had said for each.
async fn good(order: Order, piece: Piece) -> (Vec<bool>, Vec<usize>, usize) {
    let control = Control::new(usize::MAX, Then::Silence, order, piece);
    let modem = hostile(&control);
    let session = session(&modem).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let said = control.said.load(Ordering::SeqCst);
    (session.done, control.marks(), said)
}

#[tokio::test(start_paused = true)]
async fn any_order_of_answer_and_report_is_understood() {
    for order in [Order::OkFirst, Order::ReportFirst, Order::Crossed] {
        for piece in [Piece::Whole, Piece::Bytes(1), Piece::Bytes(3)] {
            assert_eq!(good(order, piece).await.0, [true; 6], "{order:?} {piece:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_split_at_any_byte_of_a_session_changes_nothing() {
    let (.., said) = good(Order::OkFirst, Piece::Whole).await;
    for at in 0..=said {
        let piece = Piece::CutAt(at);
        assert_eq!(good(Order::OkFirst, piece).await.0, [true; 6], "{at}");
    }
}

/// The next command works once the module is back, and a connection can be made.
async fn works_again(modem: &Modem, session: Session, at: usize) {
    let attention = timeout(Duration::from_secs(100), modem.attention()).await;
    attention
        .expect("the command ends")
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    if let Some((client, _messages)) = session.client
        && client.ended().is_none()
    {
        let _ = client.disconnect().await;
    }
    let connected = modem.connect(options()).await;
    let (client, _messages) = connected.unwrap_or_else(|error| panic!("{at}: {error}"));
    let sent = client.publish("t", "plain", QoS::AtLeastOnce, false).await;
    assert_eq!(sent, Ok(Delivery::Acknowledged), "{at}");
}

#[tokio::test(start_paused = true)]
async fn silence_after_any_byte_ends_every_call_and_leaves_a_working_channel() {
    let (_, marks, said) = good(Order::OkFirst, Piece::Whole).await;
    for at in 0..said {
        let control = Control::new(at, Then::Silence, Order::OkFirst, Piece::Whole);
        let modem = hostile(&control);
        let session = session(&modem).await;
        // Whatever was said to the end is known, and nothing else is claimed.
        let known = marks.iter().map(|mark| *mark <= at);
        let known: Vec<bool> = known.take(session.done.len()).collect();
        assert_eq!(session.done, known, "{at}");
        control.limit.store(usize::MAX, Ordering::SeqCst);
        works_again(&modem, session, at).await;
    }
}

/// Whether these words have a line end where that of the message would be: then they are taken
/// for the rest of its payload, and nothing could tell.
fn looks_whole(words: &[u8], said: usize, at: usize) -> bool {
    let rest = (said - 2).checked_sub(at);
    let behind = rest.and_then(|rest| words.get(rest..));
    behind.is_some_and(|behind| behind.starts_with(b"\r\n"))
}

#[tokio::test(start_paused = true)]
async fn a_reboot_after_any_byte_is_noticed_and_told() {
    let (_, marks, said) = good(Order::OkFirst, Piece::Whole).await;
    for at in 1..said {
        if looks_whole(BANNER, said, at) {
            continue;
        }
        let control = Control::new(at, Then::Reboot, Order::OkFirst, Piece::Whole);
        let modem = hostile(&control);
        let mut session = session(&modem).await;
        let known = marks.iter().map(|mark| *mark <= at);
        let known: Vec<bool> = known.take(session.done.len()).collect();
        assert_eq!(session.done, known, "{at}");
        if let Some((client, messages)) = &mut session.client {
            while timeout(Duration::from_secs(60), messages.recv())
                .await
                .expect("the end comes")
                .is_some()
            {}
            assert_eq!(client.ended(), Some(Disconnected::Rebooted), "{at}");
        }
        assert_eq!(modem.counters().reboots, 1, "{at}");
        works_again(&modem, session, at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn power_down_after_any_byte_ends_every_call() {
    let (_, marks, said) = good(Order::OkFirst, Piece::Whole).await;
    for at in 1..said {
        if looks_whole(FAREWELL, said, at) {
            continue;
        }
        let control = Control::new(at, Then::PowerDown, Order::OkFirst, Piece::Whole);
        let modem = hostile(&control);
        let session = session(&modem).await;
        let known = marks.iter().map(|mark| *mark <= at);
        let known: Vec<bool> = known.take(session.done.len()).collect();
        assert_eq!(session.done, known, "{at}");
        if let Some((client, _messages)) = &session.client {
            assert_eq!(client.ended(), Some(Disconnected::PoweredDown), "{at}");
        }
        control.limit.store(usize::MAX, Ordering::SeqCst);
        works_again(&modem, session, at).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_million_bytes_in_the_middle_of_a_publish_are_counted_and_do_not_delay_it() {
    let (modem, mut module) = line();
    let (client, mut messages) = connected(&modem, &mut module).await;
    let urcs = "\r\n+LMQTTURC: RECV,0,0,\"t\",3,a\r\n\r\n\r\n+XYZ: 1\r\n";
    let count = 1_000_000 / urcs.len();
    let script = async {
        module.hear("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r").await;
        for _ in 0..count {
            module.say(urcs).await;
        }
        module.say("\r\nOK\r\n\r\n+LMQTTPUB: 0,1,0\r\n").await;
    };
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (sent, ()) = tokio::join!(publish, script);
    assert_eq!(sent, Ok(Delivery::Acknowledged));
    let mut read = 0;
    while messages.try_recv().is_some() {
        read += 1;
    }
    let counters = modem.counters();
    assert_eq!(read + messages.missed(), count as u64);
    assert_eq!(counters.messages, count as u64);
    assert_eq!(counters.messages_dropped, messages.missed());
    assert_eq!(counters.unrecognised_lines, count as u64);
    // Four times the limit of 256.
    assert_eq!(read, 1024);
}

/// What a module says of a message is not to be believed.
#[tokio::test(start_paused = true)]
async fn lengths_and_lines_that_lie_cost_no_more_than_what_they_touch() {
    let long = "x".repeat(70_000);
    for lie in [
        "\r\n+LMQTTURC: RECV,0,1,\"t\",-1,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",0,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",2,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",4,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",65536,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",4294967297,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",18446744073709551617,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,65536,\"t\",3,abc\r\n",
        "\r\n+LMQTTURC: RECV,256,1,\"t\",3,abc\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t,3,abc\r\n",
        "\r\n+LMQTTURC: STATS,0,999\r\n",
        "\r\n+LMQTTPUB: 0,99999999999999999999,0\r\n",
        "\r\n+LMQTTURC: RECV,0,1,\"t\",8000,abc\r\n",
        &long,
        &format!("\r\n{long}\r\n"),
        "\u{0}\u{1}\u{fffd}> \r\r\r\n\n\n",
    ] {
        let (modem, mut module) = line();
        let (client, mut messages) = connected(&modem, &mut module).await;
        module.say(lie).await;
        // Where a payload is waited for that does not come, it is for ten seconds.
        tokio::time::sleep(Duration::from_secs(11)).await;
        module.say("\r\n+LMQTTURC: RECV,0,7,\"t\",3,def\r\n").await;
        let message = timeout(Duration::from_secs(1), messages.recv()).await;
        let message = message.unwrap_or_else(|_| panic!("{lie:.60}"));
        assert_eq!(message.unwrap().payload, b"def", "{lie:.60}");
        assert_eq!(client.ended(), None, "{lie:.60}");
        let script = module.answer("AT+CSQ\r", "\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
        let (quality, ()) = tokio::join!(modem.signal_quality(), script);
        assert_eq!(quality.unwrap().rssi, 29, "{lie:.60}");
    }
}

/// Bytes were lost, and what is left of the payload looks like the answer that is awaited.
#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_torn_payload_answers_nothing() {
    let (modem, mut module) = line();
    let (client, _messages) = connected(&modem, &mut module).await;
    let torn = "\r\n+LMQTTURC: RECV,0,1,\"t\",60,\r\nOK\r\n+LMQTTPUB: 0,1,0\r\n\r\n";
    let script = async {
        module
            .answer("AT+LMQTTPUB=0,1,1,0,\"t\",1,\"x\"\r", torn)
            .await;
        // The module's own answer comes behind it, and tells the truth.
        let filler = "\r\n+CEREG: 1\r\n".repeat(4);
        module.say(&filler).await;
        module.say("\r\nOK\r\n\r\n+LMQTTPUB: 0,1,2,6\r\n").await;
    };
    let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
    let (sent, ()) = tokio::join!(publish, script);
    assert_eq!(
        sent,
        Err(PublishError::Failed {
            reason: Reason::new(ReasonKind::NotSent, Some(6)),
            may_have_arrived: true
        })
    );
}

#[tokio::test(start_paused = true)]
async fn an_exchange_ends_in_time_while_the_module_never_stops_talking() {
    let (modem, mut module) = line();
    let began = Instant::now();
    let talk = async {
        module.hear("AT+CSQ\r").await;
        loop {
            module.say("\r\n+CEREG: 1\r\n").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        quality = modem.signal_quality() => assert!(quality.is_err()),
        () = talk => {}
    }
    assert_eq!(began.elapsed().as_secs(), 5);
}
