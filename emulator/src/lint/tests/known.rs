//! What is judged by what the host has been told, and by what is known of hosts.

use super::*;

const CONNECTED: [Step; 3] = [OPEN, CONNECT, ACCEPT];
const SEND_5: Step = Send(b"AT+LMQTTPUB=0,5,1,0,\"t\",1,\"a\"\r\n");
const ACKNOWLEDGE_5: Step = Answer(b"\x40\x02\x00\x05");
const REPORTED_5: Step = Until(b"+LMQTTPUB: 0,5,0\r\n");

fn rules(steps: &[Step]) -> Vec<Rule> {
    let mut dialogue = Dialogue::new(0);
    for step in CONNECTED.iter().chain(steps) {
        dialogue.step(*step);
    }
    let found = dialogue.findings();
    found.iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_message_id_is_in_flight_until_the_host_has_been_sent_the_report() {
    let ok = Until(b"OK");
    let in_flight = Rule::MessageIdInFlight;
    let rows: [(&[Step], &[Rule]); 5] = [
        // The broker has acknowledged it, which the host does not know yet.
        (&[SEND_5, ok, ACKNOWLEDGE_5, SEND_5, ok], &[in_flight]),
        (&[SEND_5, ok, ACKNOWLEDGE_5, REPORTED_5, SEND_5, ok], &[]),
        // The second one is in flight still, whatever has become of the first.
        (
            &[SEND_5, ok, ACKNOWLEDGE_5, SEND_5, REPORTED_5, SEND_5, ok],
            &[in_flight, in_flight],
        ),
        (
            &[
                SEND_5,
                ok,
                ACKNOWLEDGE_5,
                SEND_5,
                ok,
                ACKNOWLEDGE_5,
                Wait(2000),
                SEND_5,
            ],
            &[in_flight],
        ),
        // Where nothing is reported, there is nothing to wait for.
        (
            &[
                Type(b"AT+LMQTTCFG=\"urc\",0,0\r\n"),
                SEND_5,
                ok,
                ACKNOWLEDGE_5,
                SEND_5,
                ok,
            ],
            &[],
        ),
    ];
    for (at, (steps, expected)) in rows.iter().enumerate() {
        assert_eq!(rules(steps), *expected, "row {at}");
    }
}

#[test]
fn a_message_id_of_a_subscription_is_in_flight_until_the_host_has_been_sent_the_report() {
    let subscribe = Send(b"AT+LMQTTSUBUNSUB=0,0,5,\"t\",1\r\n");
    let acknowledge = Answer(b"\x90\x03\x00\x05\x01");
    let ok = Until(b"OK");
    let early = rules(&[subscribe, ok, acknowledge, SEND_5, ok]);
    assert_eq!(early, [Rule::MessageIdInFlight]);
    let reported = Until(b"+LMQTTSUBUNSUB: 0,5,0,1\r\n");
    assert_eq!(
        rules(&[subscribe, ok, acknowledge, reported, SEND_5, ok]),
        []
    );
}

#[test]
fn a_message_id_with_qos_0_is_a_note_where_the_library_of_the_module_gives_one() {
    for (profile, severity) in [
        (Profile::nt35e(), Severity::Warning),
        (Profile::nt26(), Severity::Note),
    ] {
        let name = profile.name.clone();
        let mut dialogue = Dialogue::with(profile, 0);
        let publish = Type(b"AT+LMQTTPUB=0,5,0,0,\"t\",1,\"a\"\r\n");
        for step in CONNECTED.iter().chain([&publish]) {
            dialogue.step(*step);
        }
        let found = dialogue.findings();
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.rule, found.severity))
            .collect();
        assert_eq!(found, [(Rule::MessageIdWithQos0, severity)], "{name}");
        let linter = dialogue.modem.lint();
        assert_eq!(linter.severity(Rule::MessageIdWithQos0), severity, "{name}");
        assert_eq!(linter.severity(Rule::MessageIdZero), Severity::Warning);
    }
}

#[test]
fn what_is_no_host_name_is_found_though_it_resolves() {
    for (open, what) in [
        (
            &b"AT+LMQTTOPEN=0,\"mqtt://host\",1883\r\n"[..],
            "it is a URL",
        ),
        (
            b"AT+LMQTTOPEN=0,\"tcp://host:1883\",1883\r\n",
            "it is a URL",
        ),
        (b"AT+LMQTTOPEN=0,\"host:1883\",1883\r\n", "it holds a port"),
        (b"AT+LMQTTOPEN=0,\"host/x\",1883\r\n", "it holds a path"),
    ] {
        // The links of a dialogue always open.
        let found = Dialogue::run(&[Send(open), Until(b"+LMQTTOPEN: 0,0\r\n")], 0);
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.rule, &*found.detail))
            .collect();
        assert_eq!(found, [(Rule::HostNotAName, what)]);
    }
}
