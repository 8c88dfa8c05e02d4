//! Any bytes, in any split.

use proptest::prelude::*;

use super::*;

/// Packets of a client after its CONNECT, most of them in order.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let topic = prop::sample::select(vec!["t", "a/b", "a", "$x"]);
    let filter = prop::sample::select(vec!["t", "a/+", "#", "$share/g/t", "$x/#"]);
    let payload = prop::collection::vec(any::<u8>(), 0..20);
    let flags = prop::sample::select(vec![0, 1, 2, 3, 4, 5, 12]);
    let packet = prop_oneof![
        8 => (flags, topic, 1..4u8, payload).prop_map(|(f, t, id, p)| publish(f, t, id, &p)),
        4 => (filter, 0..3u8).prop_map(|(filter, qos)| subscribe(filter, qos)),
        8 => (prop::sample::select(vec![0x40, 0x50, 0x62, 0x70]), 1..6u8)
            .prop_map(|(header, id)| vec![header, 2, 0, id]),
        2 => Just(PINGREQ.to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..8),
    ];
    prop::collection::vec(packet, 0..40).prop_map(|packets| packets.concat())
}

/// Feeds one client in chunks of these sizes, repeated, beside an observer of everything.
fn run(bytes: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<u8>, Option<CloseReason>, Counters) {
    let mut bench = Bench::new(Limits {
        packet_bytes: 1_000,
        ..Limits::default()
    });
    let observer = bench.subscriber("observer", &["#"], 1);
    let id = bench.open();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        bench.receive(id, chunk);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let closed = bench.closed.remove(&id);
    (
        bench.take(id),
        bench.take(observer),
        closed,
        bench.core.counters(),
    )
}

proptest! {
    #[test]
    fn any_bytes_in_any_split_do_no_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        sizes in prop::collection::vec(1..50usize, 1..8),
    ) {
        prop_assert_eq!(run(&bytes, &sizes), run(&bytes, &[bytes.len().max(1)]));
        let connected = [connect("c", 0x06, 1), bytes].concat();
        prop_assert_eq!(run(&connected, &sizes), run(&connected, &[connected.len()]));
    }

    #[test]
    fn any_split_of_a_conversation_gives_the_same_answers(
        bytes in conversation(),
        sizes in prop::collection::vec(1..50usize, 1..8),
    ) {
        let bytes = [connect("c", 0x02, 1), bytes].concat();
        prop_assert_eq!(run(&bytes, &sizes), run(&bytes, &[bytes.len()]));
    }
}
