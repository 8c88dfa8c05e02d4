//! A subscription that outlives its connections.

use std::pin::pin;
use std::time::Duration;

use atmq_driver::ConnectOptions;
use atmq_driver::reconnect::{Reconnect, ReconnectingClient, State, Stopped};

use super::{Arguments, Progress};
use crate::broker::{self, connect_failure};
use crate::failure::{Failure, FailureKind};
use crate::messages;
use crate::signals::stopped;

pub(super) async fn run(
    arguments: &Arguments,
    options: ConnectOptions,
    quiet: bool,
) -> Result<(), Failure> {
    let mut stopped = pin!(stopped());
    let modem = broker::unless_stopped(&mut stopped, arguments.port.lasting_modem()).await?;
    let (client, messages) = modem.keep_connected(options, Reconnect::default());
    let progress = Progress::default();
    let received = async {
        client.connected().await.map_err(|why| gone(&why))?;
        let subscribe = |topic, qos| client.subscribe(topic, qos);
        arguments.receive(subscribe, messages, &progress).await
    };
    let received = tokio::select! {
        biased;
        () = &mut stopped => arguments.when_stopped(&progress),
        received = received => received,
        () = tell(&client, quiet) => unreachable!("it tells until it is dropped"),
    };
    // Why it cannot come back is what a failed reception is told by.
    if let State::Stopped(why) = client.state() {
        return Err(gone(&why));
    }
    let disconnecting = async {
        // What is given up in the middle of connecting would be left as far as it has come.
        let mut states = client.watch_state();
        let is_settled = |state: &State| !matches!(state, State::Connecting { .. });
        let _ = states.wait_for(is_settled).await;
        let disconnected = client.disconnect(Duration::ZERO).await;
        disconnected.map(drop).map_err(|why| gone(&why))
    };
    received.and(broker::leave(disconnecting, progress.patience()).await)
}

/// Tells on standard error how the connection fares.
async fn tell(client: &ReconnectingClient, quiet: bool) {
    let mut states = client.watch_state();
    let mut lost = false;
    loop {
        let state = states.borrow_and_update().clone();
        match state {
            State::Waiting { reason, .. } => {
                lost = true;
                if !quiet {
                    messages::tell(&format!("atmq: {reason}; connecting again"));
                }
            }
            State::Connected if lost => {
                lost = false;
                if !quiet {
                    messages::tell("atmq: connected again");
                }
            }
            _ => {}
        }
        if states.changed().await.is_err() {
            // Nothing more is told; what came of it is told elsewhere.
            std::future::pending::<()>().await;
        }
    }
}

fn gone(why: &Stopped) -> Failure {
    match why {
        Stopped::Refused(error) => connect_failure(error),
        why => Failure::new(FailureKind::Unavailable, why),
    }
}
