//! OneNET, the old MQTT service: frames of payloads for `$dp` (reference `clouds.md` 6.1, and
//! `ecmt.md`, "OneNET helper").

use serde_json::{Deserializer, Value};

/// Where data points are published.
pub(crate) const DATA_POINTS: &str = "$dp";

/// The frame that the module puts around an inline payload for [`DATA_POINTS`]. `None`: the
/// payload is not what its type says.
///
/// | type | payload | frame |
/// |---|---|---|
/// | 1, 3, 4 | JSON | type, length of two bytes (read in ECMT source) |
/// | 2 | JSON with `ds_id`, then the data | the same, and a length of four bytes before the data |
/// | 5, 6 | text | as 1 (inferred from the platform's layout) |
/// | others | raw | none: the host has written the frame |
pub(crate) fn frame(data_type: u8, payload: &[u8]) -> Option<Vec<u8>> {
    match data_type {
        1 | 3 | 4 => {
            serde_json::from_slice::<Value>(payload).ok()?;
            counted(data_type, payload)
        }
        2 => {
            let mut values = Deserializer::from_slice(payload).into_iter::<Value>();
            values.next()?.ok()?.get("ds_id")?;
            let (description, data) = payload.split_at(values.byte_offset());
            let mut frame = counted(data_type, description)?;
            frame.extend(u32::try_from(data.len()).ok()?.to_be_bytes());
            frame.extend_from_slice(data);
            Some(frame)
        }
        5 | 6 => counted(data_type, payload),
        _ => Some(payload.to_vec()),
    }
}

fn counted(data_type: u8, payload: &[u8]) -> Option<Vec<u8>> {
    let mut frame = vec![data_type];
    frame.extend(u16::try_from(payload.len()).ok()?.to_be_bytes());
    frame.extend_from_slice(payload);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(data_type: u8, payload: &[u8]) -> Option<String> {
        let frame = frame(data_type, payload)?;
        Some(frame.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The vectors of the reference.
    #[test]
    fn frames_are_the_platforms() {
        assert_eq!(
            hex(3, br#"{"t":22.5}"#).as_deref(),
            Some("03000a7b2274223a32322e357d")
        );
        assert_eq!(
            hex(4, br#"{"t":{"2015-03-22 22:31:12":22.5}}"#).as_deref(),
            Some("0400227b2274223a7b22323031352d30332d32322032323a33313a3132223a32322e357d7d")
        );
        assert_eq!(
            hex(2, b"{\"ds_id\":\"image\"}\xde\xad\xbe\xef").as_deref(),
            Some("0200117b2264735f6964223a22696d616765227d00000004deadbeef")
        );
        assert_eq!(
            hex(5, b",;t,22.5").as_deref(),
            Some("0500082c3b742c32322e35")
        );
        assert_eq!(hex(8, b"\x07\x00").as_deref(), Some("0700"));
    }

    #[test]
    fn what_does_not_parse_is_not_framed() {
        assert_eq!(hex(3, b"{\"t\":"), None);
        assert_eq!(hex(2, br#"{"id":"image"}x"#), None);
        assert_eq!(hex(2, b""), None);
    }
}
