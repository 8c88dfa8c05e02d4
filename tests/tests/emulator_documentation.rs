//! What users are told of the emulator is all there is.

use atmq_emulator::Profile;
use atmq_emulator::lint::Rule;

#[test]
fn every_rule_of_the_linter_is_documented() {
    let text = include_str!("../../docs/lint.md");
    for rule in Rule::all() {
        let row = format!("| `{}` | {} | ", rule.id(), rule.severity());
        assert!(text.contains(&row), "docs/lint.md lacks {row}");
    }
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| `") && line.ends_with(". |"));
    assert_eq!(
        rows.count(),
        Rule::all().count(),
        "docs/lint.md has a rule too many"
    );
}

#[test]
fn every_key_of_a_profile_is_documented() {
    let text = include_str!("../../docs/profiles.md");
    let profile = Profile::text("nt35e").expect("it is in the crate");
    // Keys of the evidence are in quotes.
    let keys = profile
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| !key.starts_with(['"', '#']));
    let mut count = 0;
    for key in keys {
        assert!(
            text.contains(&format!("`{key}`")),
            "docs/profiles.md lacks {key}"
        );
        count += 1;
    }
    assert_ne!(count, 0);
}
