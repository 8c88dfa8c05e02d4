use super::*;

#[test]
fn every_section_that_is_a_source_exists() {
    let reference = include_str!("../../../docs/reference/lmqtt.md");
    let keys = commands()
        .flat_map(|known| known.keys)
        .map(|key| key.source);
    let codes = all_codes().map(|codes| codes.source);
    for source in commands()
        .map(|known| known.source)
        .chain(keys)
        .chain(codes)
    {
        if let Some((_, section)) = source.place.split_once("lmqtt.md ") {
            let heading = format!("\n## {section} ");
            assert!(reference.contains(&heading), "{}", source.place);
        }
    }
}
