//! Lists of parameters.

use atmq_protocol::at::parameter::{
    Parameter, ParameterWriter, Parameters, decode_hex, encode_hex, integer,
};

/// # Panics
/// A list does not end, or is another one when it is written again; a number or hexadecimal digits
/// are not what they are elsewhere.
pub(crate) fn check(data: &[u8]) {
    let parameters: Vec<_> = Parameters::new(data).collect();
    assert!(parameters.len() <= data.len() + 1);
    for parameter in &parameters {
        let bytes = parameter.bytes();
        let number = str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse().ok());
        assert_eq!(integer(bytes), number);
        if let Some(decoded) = decode_hex(bytes) {
            let mut digits = Vec::new();
            encode_hex(&decoded, &mut digits);
            assert_eq!(digits, bytes.to_ascii_uppercase());
        }
    }
    // A quote that begins no quoted string is no matter for a writer.
    let ambiguous = |parameter: &Parameter<'_>| matches!(parameter, Parameter::Bare(bytes) if bytes.contains(&b'"'));
    if parameters.is_empty() || parameters.iter().any(ambiguous) {
        return;
    }
    let mut written = Vec::new();
    let mut writer = ParameterWriter::new(&mut written);
    for parameter in &parameters {
        match parameter {
            Parameter::Omitted => writer.bare(b""),
            Parameter::Bare(bytes) => writer.bare(bytes),
            Parameter::Quoted(bytes) => writer.quoted(bytes),
        };
    }
    if written.is_empty() {
        // A single blank parameter: no bytes are no parameters.
        return;
    }
    let again: Vec<_> = Parameters::new(&written).collect();
    assert_eq!(again, parameters);
}
