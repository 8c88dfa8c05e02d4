//! A connect from its first to its last exchange.

use atmq_driver::{Client, Messages, Modem};

use crate::module::{Module, configure_with, options};

/// All exchanges of a connect.
pub(crate) async fn connect(module: &mut Module) {
    connect_with(module, "").await;
}

/// The same, with one setting in another way.
pub(crate) async fn connect_with(module: &mut Module, other: &str) {
    configure_with(module, other).await;
    let opened = "+LMQTTOPEN: 0,0";
    module
        .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", opened)
        .await;
    let connected = "+LMQTTCONN: 0,0,0";
    module.carry_out("AT+LMQTTCONN=0,\"id\"\r", connected).await;
}

/// A client that is connected.
pub(crate) async fn connected(modem: &Modem, module: &mut Module) -> (Client, Messages) {
    let script = connect(module);
    let (client, ()) = tokio::join!(modem.connect(options()), script);
    client.expect("the script lets it connect")
}
