use super::*;

#[test]
fn what_a_command_lacks_is_told_and_of_commands_that_are_accepted_nothing() {
    for (line, lacking) in [
        ("AT+LMQTTOPEN=0,\"h\"", &["port"][..]),
        ("AT+LMQTTPUB=0,1", &["qos", "retain", "topic", "msglen"]),
        ("AT+LMQTTPUB=0,1,1,0,\"t\",5", &[]),
        ("AT+LMQTTCFG=\"keepalive\",0", &[]),
    ] {
        let told = explained(line, None);
        let missing = told.lines().filter(|line| line.ends_with("; missing"));
        let names = missing.filter_map(|line| line.split_whitespace().next());
        assert_eq!(names.collect::<Vec<_>>(), lacking, "{told}");
    }
    let mut wrong = Vec::new();
    for folder in ["lmqtt", "standard"] {
        for transcript in Transcript::all(folder) {
            for pair in transcript.steps.windows(2) {
                let (Step::Host(command), Step::Module(answer)) = (&pair[0].1, &pair[1].1) else {
                    continue;
                };
                let taken = answer.windows(6).any(|end| end == b"\r\nOK\r\n");
                let Some(explanation) = explain_line(command, None).filter(|_| taken) else {
                    continue;
                };
                wrong.extend(explanation.wrong);
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
