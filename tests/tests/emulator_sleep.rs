//! Low-power states: when the module falls asleep, and what waking it costs.

use std::time::Duration;

use atmq_emulator::{Latency, Profile};
use atmq_tests::bench::Bench;
use atmq_tests::transcript::BrokerStep;

/// A module that answers at once, falls asleep after 20 seconds and takes 100 ms to wake.
fn sleepy() -> Profile {
    let mut profile = Profile::nt35e();
    let wake = Duration::from_millis(100);
    profile.latency = Latency {
        wake: (wake, wake),
        ..Latency::INSTANT
    };
    profile.quirks.sleep_after = Some(Duration::from_secs(20));
    profile
}

/// Connected, subscribed, and quiet.
fn subscribed(profile: Profile, release: bool) -> Bench {
    let mut bench = Bench::new(profile, 0);
    let release = format!("AT+LMQTTCFG=\"raimode\",0,{}", u8::from(release));
    for line in [
        "ATE0",
        &release,
        "AT+LMQTTOPEN=0,\"h\",1883",
        "AT+LMQTTCONN=0,\"id\"",
        "AT+LMQTTSUBUNSUB=0,0,1,\"t\",0",
    ] {
        bench.send(format!("{line}\r").as_bytes());
    }
    let heard = heard(&mut bench);
    assert!(heard.ends_with(r"+LMQTTSUBUNSUB: 0,1,0,1\r\n"), "{heard}");
    bench
}

fn heard(bench: &mut Bench) -> String {
    bench.take_heard().escape_ascii().to_string()
}

fn pass(bench: &mut Bench, time: Duration) {
    let limit = bench.now() + time;
    while bench.pass_until(limit) {}
}

fn publish(bench: &mut Bench) {
    bench.broker(&BrokerStep::Publish {
        qos: 0,
        topic: "t".to_owned(),
        payload: b"x".to_vec(),
    });
}

const RECEIVED: &str = r#"\r\n+LMQTTURC: RECV,0,0,\"t\",x\r\n"#;

#[test]
fn a_module_with_nothing_to_do_falls_asleep_and_wakes_at_a_byte() {
    let mut bench = subscribed(sleepy(), false);
    pass(&mut bench, Duration::from_secs(19));
    // Awake, and with something to do again.
    publish(&mut bench);
    assert_eq!(heard(&mut bench), RECEIVED);
    pass(&mut bench, Duration::from_secs(19));
    publish(&mut bench);
    assert_eq!(heard(&mut bench), RECEIVED);
    pass(&mut bench, Duration::from_secs(21));
    publish(&mut bench);
    pass(&mut bench, Duration::from_secs(60));
    assert_eq!(heard(&mut bench), "");
    // Waking takes its time, and what was typed meanwhile is executed.
    bench.send(b"AT\r");
    pass(&mut bench, Duration::from_millis(99));
    assert_eq!(heard(&mut bench), "");
    pass(&mut bench, Duration::from_millis(1));
    assert_eq!(heard(&mut bench), format!("{RECEIVED}{}", r"\r\nOK\r\n"));
}

#[test]
fn what_wakes_the_module_is_lost_where_the_profile_says_so() {
    let mut profile = sleepy();
    profile.quirks.waking_loses_bytes = true;
    let mut bench = subscribed(profile, false);
    pass(&mut bench, Duration::from_secs(21));
    bench.send(b"AT\r");
    pass(&mut bench, Duration::from_millis(99));
    bench.send(b"AT\r");
    pass(&mut bench, Duration::from_secs(1));
    assert_eq!(heard(&mut bench), "");
    bench.send(b"AT\r");
    assert_eq!(heard(&mut bench), r"\r\nOK\r\n");
}

#[test]
fn with_raimode_the_module_falls_asleep_within_a_second() {
    for (release, falls_asleep) in [(true, true), (false, false)] {
        let mut bench = subscribed(sleepy(), release);
        pass(&mut bench, Duration::from_secs(2));
        publish(&mut bench);
        let expected = if falls_asleep { "" } else { RECEIVED };
        assert_eq!(heard(&mut bench), expected, "raimode {release}");
    }
}

#[test]
fn a_module_that_does_not_sleep_by_itself_stays_awake() {
    let mut profile = sleepy();
    profile.quirks.sleep_after = None;
    let mut bench = subscribed(profile, true);
    pass(&mut bench, Duration::from_secs(100));
    publish(&mut bench);
    assert_eq!(heard(&mut bench), RECEIVED);
}
