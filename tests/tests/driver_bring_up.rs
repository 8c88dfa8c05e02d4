//! The driver brings the emulated module up, on a real pseudo terminal.

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use atmq_driver::{
    BringUp, BringUpReason, Functionality, Modem, Pin, Registration, RegistrationDomain, Settings,
};
use atmq_emulator::modem::Sim;
use atmq_emulator::{Control, Emulator, Profile, Pty};
use atmq_protocol::standard::OperatorFormat;

/// A module with this in its world, and the driver on it.
async fn modem() -> (Modem, Control) {
    let pty = Pty::open().unwrap();
    let path = pty.path().to_str().unwrap().to_owned();
    let emulator = Emulator::new(Profile::nt35e().instant());
    let control = emulator.control();
    tokio::spawn(emulator.serve(pty));
    let modem = Modem::open(&path, Settings::default()).await.unwrap();
    (modem, control)
}

#[tokio::test]
async fn a_locked_sim_and_a_radio_that_is_off_are_no_obstacle() {
    let (modem, control) = modem().await;
    control
        .change(|modem, now| modem.set_sim(Some(Sim::locked("1234", "12345678")), now))
        .await;
    modem
        .set_functionality(Functionality::RadioOff)
        .await
        .unwrap();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let sink = seen.clone();
    let bring_up = BringUp::default()
        .pin(Pin::new("1234").unwrap())
        .on_progress(move |progress| sink.lock().unwrap().push(progress.to_string()));
    let network = modem.bring_up(bring_up).await.unwrap();
    assert_eq!(network.status.registration, Registration::Home);
    assert_eq!(network.status.cell.unwrap().technology, Some(7));
    assert_eq!(network.operator.unwrap().format, OperatorFormat::Long);
    assert!(network.ip.unwrap().is_ipv4());
    assert!(network.signal.rsrp_dbm.is_some());
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], "the SIM asks for its PIN", "{seen:?}");
    assert_eq!(seen[3], "the radio is switched on", "{seen:?}");
}

#[tokio::test]
async fn a_denied_registration_that_is_granted_after_all_is_noticed_at_once() {
    let (modem, control) = modem().await;
    control
        .change(|modem, now| modem.set_registration(Registration::Denied, now))
        .await;
    let (told, denied) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let bring_up = BringUp::default().on_progress(move |progress| {
        let words = progress.to_string();
        if words == "registration denied by the network"
            && let Some(told) = told.take()
        {
            told.send(()).unwrap();
        }
    });
    let change = async {
        denied.await.unwrap();
        control
            .change(|modem, now| modem.set_registration(Registration::Roaming, now))
            .await;
    };
    let (network, ()) = tokio::join!(modem.bring_up(bring_up), change);
    assert_eq!(network.unwrap().status.registration, Registration::Roaming);
}

#[tokio::test]
async fn what_a_module_can_be_asked_is_told_with_its_units() {
    let (modem, control) = modem().await;
    control
        .change(|modem, now| {
            let time = UNIX_EPOCH + Duration::from_secs(1_795_223_107);
            modem.set_network_time(time, -20, now);
        })
        .await;
    let identity = modem.identify().await.unwrap();
    assert_eq!(identity.imei.unwrap().len(), 15);
    assert_eq!(identity.iccid.unwrap().len(), 20);
    assert_eq!(identity.imsi.unwrap().len(), 15);
    let signal = modem.signal().await.unwrap();
    assert!((-113..=-51).contains(&signal.rssi_dbm.unwrap()));
    assert!((-140..=-43).contains(&signal.rsrp_dbm.unwrap()));
    assert!((-19.5..=-2.5).contains(&signal.rsrq_db.unwrap()));
    for domain in RegistrationDomain::ALL {
        let status = modem.registration_in(domain).await.unwrap();
        assert!(status.is_registered(), "{domain:?}");
    }
    assert_eq!(modem.functionality().await.unwrap(), Functionality::Full);
    assert_eq!(modem.addresses().await.unwrap()[0].context, 1);
    let clock = modem.clock().await.unwrap();
    assert_eq!(clock.zone, Some(-20));
    let time = clock.since_epoch().unwrap().as_secs();
    assert!((1_795_223_107..1_795_223_207).contains(&time), "{time}");
    modem.attach(false).await.unwrap();
    assert!(!modem.is_attached().await.unwrap());
    assert_eq!(modem.operator().await.unwrap(), None);
    assert_eq!(modem.addresses().await.unwrap(), []);
    control.change(|modem, now| modem.set_sim(None, now)).await;
    let identity = modem.identify().await.unwrap();
    assert_eq!((identity.iccid, identity.imsi), (None, None));
    let patience = BringUp::default().limit(Duration::from_millis(300));
    let error = modem.bring_up(patience).await.unwrap_err();
    assert_eq!(error.reason, BringUpReason::NoSim);
}
