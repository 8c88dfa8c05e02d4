//! Nothing that the module answers beside MQTT goes without a transcript.

use atmq_emulator::modem::command_forms;
use atmq_protocol::command::{Command, Form};
use atmq_tests::transcript::{Step, Transcript};

/// The commands that the steps of the host type, each as [`command_forms`] writes it.
fn typed(transcripts: &[Transcript]) -> Vec<String> {
    let mut typed = Vec::new();
    for transcript in transcripts {
        for (_, step) in &transcript.steps {
            let Step::Host(bytes) = step else { continue };
            for line in bytes.split(|byte| *byte == b'\r') {
                let line = line.trim_ascii();
                let Some((b"AT" | b"at", mut rest)) = line.split_at_checked(2) else {
                    continue;
                };
                loop {
                    let (command, left) = Command::split_first(rest, |_| false);
                    let name = String::from_utf8_lossy(command.name).to_uppercase();
                    let form = match command.form {
                        Form::Execute => "",
                        Form::Test => "=?",
                        Form::Read => "?",
                        Form::Set(_) if name.starts_with('+') => "=",
                        Form::Set(_) => "<n>",
                    };
                    typed.push(format!("AT{name}{form}"));
                    if left.is_empty() {
                        break;
                    }
                    rest = left;
                }
            }
        }
    }
    typed
}

#[test]
fn every_standard_command_has_a_transcript_in_every_form() {
    let typed = typed(&Transcript::all("standard"));
    let missing: Vec<_> = command_forms()
        .filter(|form| !typed.contains(form))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
