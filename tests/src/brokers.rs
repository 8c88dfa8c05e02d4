//! The same check with each broker there is.

/// Makes a test of each check for the embedded broker, in a module `embedded`, and for mosquitto,
/// in a module `mosquitto`. A check is an async function of the broker's address. Without
/// mosquitto its tests say that they are skipped, see
/// [`Mosquitto::start`](crate::mosquitto::Mosquitto::start).
#[macro_export]
macro_rules! with_each_broker {
    ($($check:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                let broker = atmq_emulator::broker::Broker::bind("127.0.0.1:0").await.unwrap();
                super::$check(broker.local_addr()).await;
                broker.shutdown().await;
            })+
        }

        mod mosquitto {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                if let Some(mosquitto) = $crate::mosquitto::Mosquitto::start() {
                    super::$check(mosquitto.address()).await;
                }
            })+
        }
    };
}
