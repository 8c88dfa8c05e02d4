//! What the examples print when something is wrong.

use std::process::Command;

/// Built as whoever runs the tests builds it.
#[test]
fn an_example_that_fails_tells_the_whole_chain_of_causes() {
    let mut example = Command::new(env!("CARGO"));
    example.args(["run", "--quiet", "--example", "publish", "--"]);
    example.args(["/nonexistent/port", "broker.example"]);
    let output = example.current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.expect("cargo can be executed");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("cannot open /nonexistent/port: No such file"),
        "{told}"
    );
}
