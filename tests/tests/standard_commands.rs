//! Nothing that the module answers beside MQTT goes without a transcript.

use std::collections::BTreeSet;

use atmq_emulator::modem::command_forms;
use atmq_tests::transcript::Transcript;

#[test]
fn every_standard_command_has_a_transcript_in_every_form() {
    // What is one maker's is typed where its dialect is.
    let transcripts = ["standard", "sm"].into_iter().flat_map(Transcript::all);
    let typed: BTreeSet<_> = transcripts.flat_map(|one| one.forms()).collect();
    let missing: Vec<_> = command_forms()
        .filter(|form| !typed.contains(form))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
