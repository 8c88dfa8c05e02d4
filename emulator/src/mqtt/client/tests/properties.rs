//! Whatever a broker sends, however it is cut.

use proptest::prelude::*;

use super::*;

/// What a broker may send after CONNACK, hostile or not.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let id = 1..4u8;
    prop_oneof![
        (id.clone(), 0x30..0x40u8).prop_map(|(id, header)| {
            let mut packet = vec![header, 6, 0, 1, b't', 0, id, b'x'];
            if header & 6 == 0 {
                packet[1] = 4;
                packet.drain(5..7);
            }
            packet
        }),
        (
            id.clone(),
            prop::sample::select(vec![0x40, 0x50, 0x62, 0x70, 0xb0u8])
        )
            .prop_map(|(id, header)| vec![header, 2, 0, id]),
        (id, any::<u8>()).prop_map(|(id, code)| vec![0x90, 3, 0, id, code]),
        Just(vec![0xd0, 0]),
    ]
}

/// A client with a request of each kind in flight.
fn busy() -> Bench {
    let mut bench = Bench::connecting(&options(), Session::default());
    bench.receive(CONNACK);
    bench.publish(1, QoS::AtLeastOnce).unwrap();
    bench.publish(2, QoS::ExactlyOnce).unwrap();
    bench
        .client
        .subscribe(3, &[("t", QoS::AtMostOnce)], bench.now)
        .unwrap();
    bench
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same(
        packets in prop::collection::vec(packet(), 0..12),
        cuts in prop::collection::vec(1..9usize, 1..40),
    ) {
        let bytes = packets.concat();
        let mut whole = busy();
        whole.receive(&bytes);
        let mut split = busy();
        let mut rest = &bytes[..];
        for cut in cuts.iter().cycle() {
            let (chunk, after) = rest.split_at((*cut).min(rest.len()));
            split.receive(chunk);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(whole.events(), split.events());
        prop_assert_eq!(whole.sent(), split.sent());
    }

    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        connected: bool,
    ) {
        let mut bench = if connected {
            busy()
        } else {
            Bench::connecting(&options(), Session::default())
        };
        bench.receive(&bytes);
        bench.pass(TIMEOUT);
        bench.receive(&bytes);
    }
}
