//! Which module it is.

use atmq_driver::Settings;
use atmq_protocol::dialect::{ALL, Dialect, UNKNOWN, any_model};

use crate::condition::PROBED;
use crate::module::{Module, OK, line, line_with};

const REFUSED: &str = "\r\n+CME ERROR: 100\r\n";

async fn named(module: &mut Module, name: &str) {
    module.answer("AT\r", OK).await;
    module.answer("AT+CMEE?\r", PROBED).await;
    module.answer("ATE0\r", OK).await;
    module.answer("AT+CMEE=1\r", OK).await;
    let answer = format!("\r\n{name}\r\n\r\nOK\r\n");
    module.answer("AT+CGMM\r", &answer).await;
}

fn question(dialect: &dyn Dialect) -> String {
    format!("{}\r", dialect.recognised_by())
}

#[tokio::test(start_paused = true)]
async fn a_module_is_known_by_its_name() {
    for known in ALL.iter().flat_map(|dialect| dialect.models()) {
        let (modem, mut module) = line();
        let name = format!("Maker_{}-CN", known.name);
        let (outcome, ()) = tokio::join!(modem.initialise(), named(&mut module, &name));
        outcome.unwrap();
        let model = modem.model().unwrap();
        assert_eq!(
            (model.name, model.limits),
            (known.name, known.limits.clone())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_of_another_name_is_asked_for_its_commands_and_gets_the_narrowest_limits() {
    for (place, dialect) in ALL.into_iter().enumerate() {
        let (modem, mut module) = line();
        let script = async {
            named(&mut module, "X-1000").await;
            for other in &ALL[..place] {
                module.answer(&question(*other), REFUSED).await;
            }
            let name = dialect.recognised_by().trim_start_matches("AT");
            let name = name.trim_end_matches("=?");
            let answer = format!("\r\n{name}: (0-1)\r\n\r\nOK\r\n");
            module.answer(&question(dialect), &answer).await;
        };
        let (outcome, ()) = tokio::join!(modem.initialise(), script);
        outcome.unwrap();
        let (model, expected) = (modem.model().unwrap(), any_model(dialect));
        assert_eq!(model.dialect.name(), dialect.name());
        assert_eq!((model.name, model.limits), (expected.name, expected.limits));
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_without_known_commands_is_in_order_even_so() {
    let (modem, mut module) = line();
    let script = async {
        named(&mut module, "X-1000").await;
        for dialect in ALL {
            module.answer(&question(dialect), REFUSED).await;
        }
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
    assert_eq!(modem.model().unwrap().name, UNKNOWN.name);
}

#[tokio::test(start_paused = true)]
async fn who_knows_the_model_is_believed() {
    let known = any_model(ALL[0]);
    let (modem, mut module) = line_with(Settings::default().model(known.clone()));
    let script = async {
        module.answer("AT\r", OK).await;
        module.answer("AT+CMEE?\r", PROBED).await;
        module.answer("ATE0\r", OK).await;
        module.answer("AT+CMEE=1\r", OK).await;
    };
    let (outcome, ()) = tokio::join!(modem.initialise(), script);
    outcome.unwrap();
    assert_eq!(modem.model().unwrap().name, known.name);
}
