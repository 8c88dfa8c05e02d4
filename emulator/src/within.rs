use std::panic::Location;
use std::time::Duration;

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for what is to happen, and says where a test has waited in vain.
#[track_caller]
pub(crate) fn within<T>(doing: impl Future<Output = T>) -> impl Future<Output = T> {
    let place = Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, doing).await {
            Ok(done) => done,
            Err(_) => panic!("waited {PATIENCE:?} in vain, at {place}"),
        }
    }
}
