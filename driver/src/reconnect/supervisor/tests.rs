use super::*;
use crate::TlsError;
use crate::cloud::CredentialsError;
use crate::error::RequestError;
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::mqtt::LinkStatus;

const SECOND: Duration = Duration::from_secs(1);

fn supervisor(policy: &Reconnect) -> (Supervisor, Instant) {
    (Supervisor::new(policy, 1), Instant::now())
}

fn link_lost() -> Setback {
    Setback::Lost(Disconnected::LinkLost {
        status: LinkStatus::ClosedByServer,
        code: None,
    })
}

fn unresponsive() -> Error {
    Error::Exchange(ExchangeError::Unresponsive {
        command: "AT".into(),
        probes: 4,
        awaits: None,
    })
}

fn network_down() -> ConnectError {
    ConnectError::Open {
        host: "broker".into(),
        port: 1883,
        failure: OpenFailure::Network,
    }
}

/// When the next attempt is due.
fn until(supervisor: &mut Supervisor, now: Instant) -> Instant {
    match supervisor.poll(now) {
        Action::Wait(until) => until,
        other => panic!("{other:?} is no wait"),
    }
}

const CONNECT: Action = Action::Connect {
    module: Module::Sound,
};
const AFTER_A_START: Action = Action::Connect {
    module: Module::Restarted,
};
const BRING_IN_ORDER: Action = Action::Connect {
    module: Module::Faulty,
};

#[test]
fn the_first_attempt_is_at_once() {
    let (mut supervisor, now) = supervisor(&Reconnect::default());
    assert_eq!(supervisor.state(), State::Connecting { failures: 0 });
    assert_eq!(supervisor.poll(now), CONNECT);
    supervisor.connected(now);
    assert_eq!(supervisor.poll(now), Action::Serve);
    assert_eq!(supervisor.state(), State::Connected);
}

#[test]
fn waits_double_up_to_the_cap_and_are_spread() {
    let policy = Reconnect::default().backoff(SECOND, 60 * SECOND);
    let mut longest = [Duration::ZERO; 12];
    let mut shortest = [Duration::MAX; 12];
    for seed in 0..2000 {
        let mut supervisor = Supervisor::new(&policy, seed);
        let mut now = Instant::now();
        for (longest, shortest) in longest.iter_mut().zip(&mut shortest) {
            assert_eq!(supervisor.poll(now), CONNECT);
            supervisor.failed(network_down(), now);
            let due = until(&mut supervisor, now);
            *longest = (*longest).max(due - now);
            *shortest = (*shortest).min(due - now);
            now = due;
        }
    }
    for (number, (longest, shortest)) in longest.iter().zip(&shortest).enumerate() {
        let bound = SECOND * (1 << number.min(10));
        let bound = bound.min(60 * SECOND);
        assert!(*longest <= bound, "{number}: {longest:?}");
        assert!(*longest > bound.mul_f64(0.98), "{number}: {longest:?}");
        assert!(*shortest >= SECOND / 10, "{number}: {shortest:?}");
        let early = bound.mul_f64(0.02).max(SECOND / 10);
        assert!(*shortest <= early, "{number}: {shortest:?}");
    }
}

#[test]
fn the_same_seed_waits_the_same() {
    let waits = |seed| {
        let mut supervisor = Supervisor::new(&Reconnect::default(), seed);
        let mut now = Instant::now();
        let begin = now;
        for _ in 0..10 {
            supervisor.poll(now);
            supervisor.failed(network_down(), now);
            now = until(&mut supervisor, now);
        }
        now - begin
    };
    assert_eq!(waits(3), waits(3));
    assert_ne!(waits(3), waits(4));
}

#[test]
fn a_connection_that_lasted_begins_anew_and_one_that_did_not_goes_on() {
    let (mut supervisor, mut now) = supervisor(&Reconnect::default().lasting(60 * SECOND));
    for failures in 1..=20 {
        supervisor.poll(now);
        supervisor.connected(now);
        now += 59 * SECOND;
        supervisor.lost(link_lost(), now);
        let due = until(&mut supervisor, now);
        assert_eq!(
            supervisor.state(),
            State::Waiting {
                until: due,
                failures,
                reason: link_lost()
            }
        );
        now = due;
    }
    supervisor.poll(now);
    supervisor.connected(now);
    now += 60 * SECOND;
    supervisor.lost(link_lost(), now);
    assert!(until(&mut supervisor, now) <= now + SECOND);
    assert!(matches!(
        supervisor.state(),
        State::Waiting { failures: 1, .. }
    ));
}

#[test]
fn what_would_be_refused_again_is_not_tried_again() {
    for error in [
        ConnectError::Refused(Refusal::BadCredentials),
        ConnectError::Refused(Refusal::Identifier),
        ConnectError::Refused(Refusal::NotAuthorized),
        ConnectError::Refused(Refusal::ProtocolVersion),
        ConnectError::Failed(Error::Request(RequestError::NotACommand)),
        ConnectError::Occupied(atmq_protocol::mqtt::ConnectionId(0)),
        ConnectError::Credentials(CredentialsError::AccessKey),
        ConnectError::TlsOptions(TlsError::EncryptedKey),
        ConnectError::TlsSetUp(unresponsive()),
        ConnectError::Unheard {
            remedy: "send the reports here",
            error: unresponsive(),
        },
    ] {
        let (mut supervisor, now) = supervisor(&Reconnect::default());
        supervisor.poll(now);
        supervisor.failed(error.clone(), now);
        assert_eq!(supervisor.poll(now), Action::Stop);
        assert_eq!(
            supervisor.state(),
            State::Stopped(Stopped::Refused(error.clone()))
        );
        // The first reason stays.
        supervisor.stop(Stopped::Requested);
        assert_eq!(supervisor.state(), State::Stopped(Stopped::Refused(error)));
    }
}

#[test]
fn refusals_that_may_pass_and_failures_are_tried_again() {
    let retry = || Reconnect::default().when_refused(WhenRefused::Retry);
    for (policy, error) in [
        (retry(), ConnectError::Refused(Refusal::BadCredentials)),
        (
            Reconnect::default(),
            ConnectError::Refused(Refusal::ServerUnavailable),
        ),
        (
            Reconnect::default(),
            ConnectError::NotAccepted {
                reason: crate::Reason::NONE,
            },
        ),
        (Reconnect::default(), network_down()),
        (Reconnect::default(), ConnectError::Failed(unresponsive())),
    ] {
        let (mut supervisor, now) = supervisor(&policy);
        supervisor.poll(now);
        supervisor.failed(error, now);
        let due = until(&mut supervisor, now);
        assert!(matches!(supervisor.poll(due), Action::Connect { .. }));
    }
}

/// It is the broker that does not answer, or a module that asks for patience.
#[test]
fn a_silent_broker_and_a_busy_module_are_no_reason_for_a_reset() {
    let command = || "AT+LMQTTCONN".to_owned();
    for error in [
        ExchangeError::NoReport {
            command: command(),
            limit: Duration::from_secs(30),
            sent_again: true,
        },
        ExchangeError::Refused {
            command: command(),
            result: FinalResult::Cme(CmeError::Text("SIM busy".into())),
        },
    ] {
        let (mut supervisor, mut now) = supervisor(&Reconnect::default().reset_after(3));
        for _ in 0..20 {
            assert_eq!(supervisor.poll(now), CONNECT, "{error}");
            let failed = ConnectError::Failed(Error::Exchange(error.clone()));
            supervisor.failed(failed, now);
            now = until(&mut supervisor, now);
        }
    }
}

#[test]
fn a_module_that_fails_again_and_again_is_reset_and_no_other() {
    let (mut supervisor, mut now) = supervisor(&Reconnect::default().reset_after(3));
    let mut resets = 0;
    for _ in 0..12 {
        if supervisor.poll(now) == Action::Reset {
            assert_eq!(supervisor.state(), State::Resetting);
            resets += 1;
            supervisor.reset(Ok(()), now);
        }
        let initialise = supervisor.poll(now);
        assert!(matches!(initialise, Action::Connect { .. }));
        supervisor.failed(ConnectError::Failed(unresponsive()), now);
        now = until(&mut supervisor, now);
    }
    assert_eq!(resets, 3);
    let (mut supervisor, mut now) = self::supervisor(&Reconnect::default().reset_after(3));
    for _ in 0..50 {
        assert_eq!(supervisor.poll(now), CONNECT);
        supervisor.failed(network_down(), now);
        now = until(&mut supervisor, now);
    }
    let (mut supervisor, mut now) = self::supervisor(&Reconnect::default().reset_after(0));
    for _ in 0..50 {
        assert!(matches!(supervisor.poll(now), Action::Connect { .. }));
        supervisor.failed(ConnectError::Failed(unresponsive()), now);
        now = until(&mut supervisor, now);
    }
}

#[test]
fn a_module_that_connects_but_carries_nothing_out_is_reset() {
    let (mut supervisor, mut now) = supervisor(&Reconnect::default().reset_after(3));
    for _ in 0..3 {
        assert!(matches!(supervisor.poll(now), Action::Connect { .. }));
        supervisor.connected(now);
        supervisor.lost(Setback::ModuleFailed(unresponsive()), now);
        now = until(&mut supervisor, now);
    }
    assert_eq!(supervisor.poll(now), Action::Reset);
    // A reset that fails waits as everything else does.
    supervisor.reset(Err(unresponsive()), now);
    now = until(&mut supervisor, now);
    assert_eq!(supervisor.poll(now), BRING_IN_ORDER);
    supervisor.connected(now);
    for _ in 0..10 {
        supervisor.sound();
        supervisor.lost(Setback::ModuleFailed(unresponsive()), now);
        now = until(&mut supervisor, now);
        assert_eq!(supervisor.poll(now), BRING_IN_ORDER);
        supervisor.connected(now);
    }
}

#[test]
fn a_rebooted_module_is_brought_in_order_first() {
    let (mut supervisor, now) = supervisor(&Reconnect::default());
    supervisor.poll(now);
    supervisor.connected(now);
    supervisor.lost(Setback::Lost(Disconnected::Rebooted), now);
    let due = until(&mut supervisor, now);
    assert_eq!(supervisor.poll(due), AFTER_A_START);
    supervisor.failed(network_down(), due);
    let due = until(&mut supervisor, due);
    assert_eq!(supervisor.poll(due), AFTER_A_START);
    supervisor.connected(due);
    supervisor.lost(link_lost(), due);
    let due = until(&mut supervisor, due);
    assert_eq!(supervisor.poll(due), CONNECT);
}

#[test]
fn a_hint_ends_the_wait() {
    let (mut supervisor, now) = supervisor(&Reconnect::default());
    supervisor.poll(now);
    supervisor.failed(network_down(), now);
    until(&mut supervisor, now);
    supervisor.hurry(now);
    assert_eq!(supervisor.poll(now), CONNECT);
    supervisor.hurry(now);
    assert_eq!(supervisor.poll(now), CONNECT);
}

#[test]
fn a_closed_port_is_the_end() {
    let closed = || PortClosed("unplugged".into());
    let (mut supervisor, now) = supervisor(&Reconnect::default());
    supervisor.poll(now);
    supervisor.connected(now);
    supervisor.lost(Setback::Lost(Disconnected::PortClosed(closed())), now);
    assert_eq!(
        supervisor.state(),
        State::Stopped(Stopped::PortClosed(closed()))
    );
}
