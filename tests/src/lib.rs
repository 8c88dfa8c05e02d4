//! The harness that the end-to-end tests share.

pub mod authority;
pub mod bench;
pub mod brokers;
pub mod host;
pub mod module;
pub mod mosquitto;
pub mod proof;
pub mod raw_mqtt;
pub mod relay;
pub mod tls_front;
pub mod transcript;
pub mod web;

use std::panic::Location;
use std::time::Duration;

/// Longer than anything that a test waits for; the driver's own limits are far below.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for what is to happen, and says where a test has waited in vain.
#[track_caller]
pub fn within<T>(doing: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, doing).await {
            Ok(done) => done,
            Err(_) => panic!("waited {PATIENCE:?} in vain, at {place}"),
        }
    }
}
