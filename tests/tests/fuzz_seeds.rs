//! The fuzz targets on their seeds, as ordinary tests: with every cut, cut off anywhere, and with
//! single bytes changed. What fuzzing has found becomes a seed.

#[path = "../../fuzz/checks/broker.rs"]
mod broker;
#[path = "../../fuzz/checks/commands.rs"]
mod commands;
#[path = "../../fuzz/checks/modem.rs"]
mod modem;
#[path = "../../fuzz/checks/parameters.rs"]
mod parameters;
#[path = "../../fuzz/checks/pieces.rs"]
mod pieces;
#[path = "../../fuzz/checks/publisher.rs"]
mod publisher;
#[path = "../../fuzz/checks/responses.rs"]
mod responses;
#[path = "../../fuzz/checks/session.rs"]
mod session;

use std::fs;
use std::path::Path;

/// So many bytes of a seed are changed, one at a time.
const CHANGES: usize = 200;

fn replay(target: &str, check: impl Fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let files = fs::read_dir(directory.join(target)).expect("the target has seeds");
    let mut seeds = 0;
    for file in files {
        let path = file.expect("the directory can be read").path();
        println!("{}", path.display());
        let seed = fs::read(path).expect("the file can be read");
        seeds += 1;
        for cut in 0..=16 {
            let mut cut_so = seed.clone();
            cut_so[0] = cut;
            check(&cut_so);
        }
        let step = (seed.len() / CHANGES).max(1);
        for at in (0..seed.len()).step_by(step) {
            check(&seed[..at]);
            let mut changed = seed.clone();
            changed[at] = changed[at].wrapping_mul(31).wrapping_add(7);
            check(&changed);
        }
    }
    assert!(seeds > 0, "{target} has no seeds");
}

#[test]
fn what_a_module_sends() {
    replay("responses", responses::check);
}

#[test]
fn what_a_host_sends() {
    replay("commands", commands::check);
}

#[test]
fn lists_of_parameters() {
    replay("parameters", parameters::check);
}

#[test]
fn a_session_with_a_hostile_publisher() {
    replay("publisher", publisher::check);
}

#[test]
fn a_session_with_a_hostile_module() {
    replay("session", session::check);
}

#[test]
fn a_module_with_a_hostile_host() {
    replay("modem", modem::check);
}

#[test]
fn a_broker_with_a_hostile_client() {
    replay("broker", broker::check);
}
