//! How a message stands in the file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_protocol::mqtt::QoS;

use super::super::message::Outgoing;

/// The first byte. Another one is another form.
const FORM: u8 = 1;

const RETAIN: u8 = 0b100;

/// Milliseconds that stand for "never".
const NEVER: u64 = u64::MAX;

/// `lifetime`: how long the message may wait from now on.
pub(in super::super) fn encode(message: &Outgoing, lifetime: Option<Duration>) -> Vec<u8> {
    let lifetime = lifetime.map_or(NEVER, milliseconds);
    let until = match lifetime {
        NEVER => NEVER,
        lifetime => now().saturating_add(lifetime),
    };
    let mut record = Vec::with_capacity(22 + message.topic.len() + message.payload.len());
    let flags = message.qos.level() | if message.retain { RETAIN } else { 0 };
    record.extend([FORM, flags]);
    record.extend(until.to_be_bytes());
    record.extend(lifetime.to_be_bytes());
    // The queue's limit keeps a topic far from that.
    let length = u32::try_from(message.topic.len()).unwrap_or(u32::MAX);
    record.extend(length.to_be_bytes());
    record.extend(message.topic.as_bytes());
    record.extend(&message.payload);
    record
}

/// The message, and how long it may still wait; `None` if the bytes are none.
pub(super) fn decode(mut record: &[u8]) -> Option<(Outgoing, Option<Duration>)> {
    let [form, flags] = take(&mut record)?;
    if form != FORM {
        return None;
    }
    let qos = match flags & 0b11 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        2 => QoS::ExactlyOnce,
        _ => return None,
    };
    let until = u64::from_be_bytes(take(&mut record)?);
    let lifetime = u64::from_be_bytes(take(&mut record)?);
    let length = u32::from_be_bytes(take(&mut record)?);
    let (topic, payload) = record.split_at_checked(usize::try_from(length).ok()?)?;
    let message = Outgoing::new(std::str::from_utf8(topic).ok()?, payload)
        .qos(qos)
        .retain(flags & RETAIN != 0);
    // A clock that was set back, or was wrong at first, gives no message more than all its time.
    let left = until.saturating_sub(now()).min(lifetime);
    let left = (until != NEVER).then(|| Duration::from_millis(left));
    Some((message, left))
}

fn take<const N: usize>(record: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = record.split_first_chunk()?;
    *record = rest;
    Some(*taken)
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    milliseconds(since.unwrap_or_default())
}

/// Never [`NEVER`].
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(NEVER)
        .min(NEVER - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            topic in ".*",
            payload: Vec<u8>,
            qos in prop_oneof![
                Just(QoS::AtMostOnce),
                Just(QoS::AtLeastOnce),
                Just(QoS::ExactlyOnce)
            ],
            retain: bool,
            lifetime: Option<u32>,
        ) {
            let message = Outgoing::new(topic, payload).qos(qos).retain(retain);
            let lifetime = lifetime.map(|lifetime| Duration::from_millis(lifetime.into()));
            let (read, left) = decode(&encode(&message, lifetime)).unwrap();
            prop_assert_eq!(read, message);
            prop_assert_eq!(left.is_some(), lifetime.is_some());
            prop_assert!(left <= lifetime);
        }

        #[test]
        fn no_bytes_make_it_panic(record: Vec<u8>) {
            decode(&record);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_message_more_than_its_time() {
        let lifetime = Duration::from_secs(60);
        let mut record = encode(&Outgoing::new("t", "x"), Some(lifetime));
        // As if it had been written a year from now.
        let until = now() + 365 * 24 * 3_600_000;
        record[2..10].copy_from_slice(&until.to_be_bytes());
        assert_eq!(decode(&record).unwrap().1, Some(lifetime));
        record[2..10].copy_from_slice(&0u64.to_be_bytes());
        assert_eq!(decode(&record).unwrap().1, Some(Duration::ZERO));
    }
}
