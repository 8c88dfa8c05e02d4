//! TLS contexts, set up by commands of our own naming (reference `README.md`, "Decisions").

use std::error::Error as _;

use atmq_driver::{ConnectError, ConnectOptions, Modem, Tls, TlsVersion};

use crate::module::{Module, line, settings as connection_settings};

const OK: &str = "\r\nOK\r\n";

/// PEM by its form, and no certificate.
const CA: &str = "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAMBAf8=\n-----END PRIVATE KEY-----\n";

fn options(tls: Tls) -> ConnectOptions {
    ConnectOptions::new("h", 8883, "id").tls(tls)
}

async fn closes(module: &mut Module) {
    module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
}

async fn stores(module: &mut Module, name: &str, file: &str) {
    let line = format!("AT+LFUPL=\"{name}\",{}\r", file.len());
    module.answer(&line, "\r\nCONNECT\r\n").await;
    module.answer(file, OK).await;
}

/// The context's settings, each as it stands behind `AT+LSSLCFG=`; then the connection's.
async fn configures(module: &mut Module, context: u8, settings: &[&str]) {
    for setting in settings {
        module.answer(&format!("AT+LSSLCFG={setting}\r"), OK).await;
    }
    connection_settings(module, "").await;
    let secured = format!("AT+LMQTTCFG=\"sslenable\",0,1,{context}\r");
    module.answer(&secured, OK).await;
}

const VERIFIED: [&str; 5] = [
    "\"cacert\",2,\"atmq_ca_2.pem\"",
    "\"seclevel\",2,1",
    "\"sslversion\",2,4",
    "\"sni\",2,1",
    "\"ignorelocaltime\",2,0",
];

async fn connect(modem: &Modem, tls: Tls) -> ConnectError {
    let connected = modem.connect(options(tls)).await;
    connected
        .map(drop)
        .expect_err("this module connects to nothing")
}

/// The module fails to open the link, and says why behind it.
async fn fails(module: &mut Module, reason: &str) {
    let answer = format!("{OK}\r\n+LMQTTOPEN: 0,-1,5\r\n{reason}");
    module.answer("AT+LMQTTOPEN=0,\"h\",8883\r", &answer).await;
    closes(module).await;
}

#[tokio::test(start_paused = true)]
async fn files_come_first_then_the_context_then_the_connection() {
    let (modem, mut module) = line();
    let tls = Tls::verified(1, CA)
        .client(CA, KEY)
        .version(TlsVersion::V1_2)
        .server_name(false)
        .ignore_time(true);
    let script = async {
        closes(&mut module).await;
        stores(&mut module, "atmq_ca_1.pem", CA).await;
        stores(&mut module, "atmq_cert_1.pem", CA).await;
        stores(&mut module, "atmq_key_1.pem", KEY).await;
        let settings = [
            "\"cacert\",1,\"atmq_ca_1.pem\"",
            "\"clientcert\",1,\"atmq_cert_1.pem\"",
            "\"clientkey\",1,\"atmq_key_1.pem\"",
            "\"seclevel\",1,2",
            "\"sslversion\",1,3",
            "\"sni\",1,0",
            "\"ignorelocaltime\",1,1",
        ];
        configures(&mut module, 1, &settings).await;
        fails(&mut module, "").await;
    };
    let (error, ()) = tokio::join!(connect(&modem, tls), script);
    // Without a word of TLS, the link is what failed.
    assert!(matches!(error, ConnectError::Open { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_for_an_unverified_broker_but_settings() {
    let (modem, mut module) = line();
    let script = async {
        closes(&mut module).await;
        let settings = [
            "\"seclevel\",0,0",
            "\"sslversion\",0,4",
            "\"sni\",0,1",
            "\"ignorelocaltime\",0,0",
        ];
        configures(&mut module, 0, &settings).await;
        fails(&mut module, "").await;
    };
    let (error, ()) = tokio::join!(connect(&modem, Tls::unverified(0)), script);
    assert!(matches!(error, ConnectError::Open { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_tls_is_called_one_and_has_the_files_sent_again() {
    let (modem, mut module) = line();
    let tls = || Tls::verified(2, CA);
    let script = async {
        for (reason, stored) in [
            ("", false),
            // The file is there.
            ("\r\n+LMQTTURC: STATS,0,14\r\n", true),
            ("", false),
        ] {
            closes(&mut module).await;
            if !stored {
                stores(&mut module, "atmq_ca_2.pem", CA).await;
            }
            configures(&mut module, 2, &VERIFIED).await;
            fails(&mut module, reason).await;
        }
    };
    let errors = async {
        [
            connect(&modem, tls()).await,
            connect(&modem, tls()).await,
            connect(&modem, tls()).await,
        ]
    };
    let (errors, ()) = tokio::join!(errors, script);
    assert!(
        matches!(
            errors,
            [
                ConnectError::Open { .. },
                ConnectError::Tls { .. },
                ConnectError::Open { .. }
            ]
        ),
        "{errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_not_stored_is_not_taken_for_one() {
    let (modem, mut module) = line();
    let upload = format!("AT+LFUPL=\"atmq_ca_2.pem\",{}\r", CA.len());
    let script = async {
        for _ in 0..2 {
            closes(&mut module).await;
            module.answer(&upload, "\r\nCONNECT\r\n").await;
            module.answer(CA, "\r\n+CME ERROR: 3\r\n").await;
            closes(&mut module).await;
        }
    };
    let errors = async {
        [
            connect(&modem, Tls::verified(2, CA)).await,
            connect(&modem, Tls::verified(2, CA)).await,
        ]
    };
    let (errors, ()) = tokio::join!(errors, script);
    for error in errors {
        assert_eq!(
            error.to_string(),
            "the module did not take the TLS context; set it up as its manual says, and name it \
             by `tls_context`"
        );
        assert_eq!(
            error.source().expect("a reason").to_string(),
            "the module answered AT+LFUPL with +CME ERROR: 3"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_set_up_is_refused_before_anything_is_sent() {
    let (modem, mut module) = line();
    for (tls, message) in [
        (
            Tls::verified(0, "no PEM"),
            "the CA certificate holds no certificate in PEM form",
        ),
        (
            Tls::verified(6, CA),
            "the TLS context is 6, the module takes 0 to 5",
        ),
    ] {
        assert_eq!(connect(&modem, tls).await.to_string(), message);
    }
    module.hear_nothing(60).await;
}
