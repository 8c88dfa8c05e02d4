//! A subscription that outlives its connections.

use std::pin::pin;
use std::time::{Duration, Instant};

use atmq_driver::reconnect::{Reconnect, ReconnectingClient, Setback, State, Stopped};
use atmq_driver::{ConnectOptions, Disconnected, LinkStatus};

use super::{Arguments, Progress};
use crate::broker;
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
        client
            .connected()
            .await
            .map_err(|why| gone(&why, arguments))?;
        let subscribe = |topic, qos| client.subscribe(topic, qos);
        arguments.receive(subscribe, messages, &progress).await
    };
    let received = tokio::select! {
        biased;
        () = &mut stopped => arguments.when_stopped(&progress),
        received = received => received,
        () = tell(&client, arguments, quiet) => unreachable!("it tells until it is dropped"),
    };
    // Why it cannot come back is what a failed reception is told by.
    if let State::Stopped(why) = client.state() {
        return Err(gone(&why, arguments));
    }
    let disconnecting = async {
        // What is given up in the middle of connecting would be left as far as it has come.
        let mut states = client.watch_state();
        let is_settled = |state: &State| !matches!(state, State::Connecting { .. });
        let _ = states.wait_for(is_settled).await;
        let disconnected = client.disconnect(Duration::ZERO).await;
        disconnected.map(drop).map_err(|why| gone(&why, arguments))
    };
    received.and(broker::leave(disconnecting, progress.patience()).await)
}

/// Tells on standard error how the connection fares.
async fn tell(client: &ReconnectingClient, arguments: &Arguments, quiet: bool) {
    let mut states = client.watch_state();
    let mut lost = false;
    let mut begun = Instant::now();
    let mut taken_over = 0;
    loop {
        let state = states.borrow_and_update().clone();
        match state {
            State::Waiting { reason, .. } => {
                let closed = LinkStatus::ClosedByServer;
                let is_take_over = !lost
                    && matches!(&reason, Setback::Lost(Disconnected::LinkLost { status, .. })
                        if *status == closed)
                    && begun.elapsed() < SHORT;
                lost = true;
                taken_over = if is_take_over { taken_over + 1 } else { 0 };
                if !quiet {
                    messages::tell(&format!("atmq: {reason}; connecting again"));
                }
                if !quiet && taken_over == OFTEN {
                    messages::tell(&taken_over_words(arguments.broker.client_id()));
                }
            }
            State::Connected if lost => {
                lost = false;
                begun = Instant::now();
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

/// A connection that the broker closes sooner than this, and so often in a row, is taken over by a
/// client of the same id. Ours.
const SHORT: Duration = Duration::from_secs(30);
const OFTEN: u32 = 3;

fn taken_over_words(client_id: Option<&str>) -> String {
    let id = client_id.map_or(String::new(), |id| format!(" ({id})"));
    format!(
        "atmq: the broker closes the connection again and again: does another client use the same \
         client id{id}? -i gives another"
    )
}

fn gone(why: &Stopped, arguments: &Arguments) -> Failure {
    match why {
        Stopped::Refused(error) => arguments.broker.connect_failure(error),
        why => Failure::new(FailureKind::Unavailable, why),
    }
}
