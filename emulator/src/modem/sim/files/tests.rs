use super::*;
use crate::profile::Profile;

fn card() -> Card {
    Card::new(&Profile::nt35e().identity, 2, false)
}

/// What the card of a profile answers, as `AT+CRSM` shows it.
fn answer(card: &Card, code: u8, file: u16, p: [u8; 3], path: Option<&str>) -> String {
    let [p1, p2, p3] = p;
    let command = CardCommand {
        code,
        file,
        p1,
        p2,
        p3,
        path,
    };
    match card.execute(&command) {
        Ok(bytes) => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
        Err((sw1, sw2)) => format!("{sw1:02X} {sw2:02X}"),
    }
}

/// The value of a data object within others.
fn find(mut bytes: &[u8], tag: u8) -> Option<&[u8]> {
    while let [found, length, rest @ ..] = bytes {
        let (value, behind) = rest.split_at(usize::from(*length));
        if *found == tag {
            return Some(value);
        }
        bytes = behind;
    }
    None
}

#[test]
fn each_file_is_described_as_it_can_be_read() {
    let card = card();
    let execute = |code, file: &File, p: [u8; 3]| {
        let [p1, p2, p3] = p;
        let command = CardCommand {
            code,
            file: file.id,
            p1,
            p2,
            p3,
            path: None,
        };
        card.execute(&command)
    };
    for file in &card.files {
        // Other lengths than the whole are asked for by hosts that expect a SIM of 51.011.
        let described = execute(GET_RESPONSE, file, [0, 0, 0]).unwrap();
        for length in [15, 255] {
            assert_eq!(
                execute(GET_RESPONSE, file, [0, 0, length]).unwrap(),
                described
            );
        }
        assert_eq!(execute(STATUS, file, [0, 0, 0]).unwrap(), described);
        assert_eq!(usize::from(described[1]) + 2, described.len());
        let parameters = find(&described, 0x62).unwrap();
        let kind = find(parameters, 0x82).unwrap();
        let size = find(parameters, 0x80).map(|size| u16::from_be_bytes([size[0], size[1]]));
        match kind[0] {
            0x41 => {
                let read = execute(READ_BINARY, file, [0, 0, 0]).unwrap();
                assert_eq!(size.map(usize::from), Some(read.len()), "{:04X}", file.id);
                let size = read.len() as u8;
                assert_eq!(execute(READ_BINARY, file, [0, 0, size]), Ok(read.clone()));
                assert_eq!(
                    execute(READ_BINARY, file, [0, 1, 0]),
                    Ok(read[1..].to_vec())
                );
                assert_eq!(
                    execute(READ_BINARY, file, [0, 0, size + 1]),
                    Err(WRONG_LENGTH)
                );
                assert_eq!(execute(READ_BINARY, file, [0, size, 0]), Err(OUTSIDE));
                assert_eq!(execute(READ_BINARY, file, [0x80, 0, 0]), Err(WRONG_MODE));
                for code in [READ_RECORD, UPDATE_RECORD, RETRIEVE_DATA, SET_DATA] {
                    assert_eq!(execute(code, file, [1, 4, 0]), Err(INCOMPATIBLE));
                }
                assert_eq!(execute(UPDATE_BINARY, file, [0, 0, 1]), Err(NOT_PERMITTED));
            }
            0x42 => {
                let (length, count) = (u16::from(kind[3]), u16::from(kind[4]));
                assert_eq!(size, Some(length * count), "{:04X}", file.id);
                for number in 1..=kind[4] {
                    let read = execute(READ_RECORD, file, [number, 4, kind[3]]).unwrap();
                    assert_eq!(read.len(), usize::from(length));
                    assert_eq!(execute(READ_RECORD, file, [number, 4, 0]), Ok(read));
                }
                assert_eq!(
                    execute(READ_RECORD, file, [1, 4, kind[3] - 1]),
                    Err(WRONG_LENGTH)
                );
                assert_eq!(
                    execute(READ_RECORD, file, [1, 4, kind[3] + 1]),
                    Err(WRONG_LENGTH)
                );
                assert_eq!(execute(READ_RECORD, file, [0, 4, 0]), Err(RECORD_NOT_FOUND));
                assert_eq!(
                    execute(READ_RECORD, file, [kind[4] + 1, 4, 0]),
                    Err(RECORD_NOT_FOUND)
                );
                assert_eq!(execute(READ_RECORD, file, [1, 0, 0]), Err(WRONG_MODE));
                let first = execute(READ_RECORD, file, [1, 4, 0]);
                assert_eq!(execute(READ_RECORD, file, [0, 2, 0]), first);
                for code in [READ_BINARY, UPDATE_BINARY, RETRIEVE_DATA, SET_DATA] {
                    assert_eq!(execute(code, file, [0, 0, 0]), Err(INCOMPATIBLE));
                }
                assert_eq!(execute(UPDATE_RECORD, file, [1, 4, 1]), Err(NOT_PERMITTED));
            }
            _ => {
                assert_eq!(size, None, "{:04X}", file.id);
                for code in [READ_BINARY, READ_RECORD, UPDATE_BINARY, UPDATE_RECORD] {
                    assert_eq!(execute(code, file, [0, 0, 0]), Err(NO_FILE));
                }
            }
        }
        assert_eq!(execute(0x20, file, [0, 1, 0]), Err(UNKNOWN));
    }
}

#[test]
fn numbers_stand_on_the_card_with_the_digits_of_each_byte_in_reverse() {
    let card = card();
    for (file, expected) in [
        (0x2fe2, "98000101000000000010"),
        (0x6f07, "080910101032547698"),
        (0x6fad, "00000002"),
    ] {
        assert_eq!(answer(&card, READ_BINARY, file, [0, 0, 0], None), expected);
    }
    assert_eq!(
        answer(&card, READ_RECORD, 0x2f00, [1, 4, 0], None),
        "61184F10A0000000871002FFFFFFFF89FFFFFFFF50045553494D"
    );
}

#[test]
fn a_file_is_described_to_the_byte() {
    let card = card();
    for (file, expected) in [
        (
            0x2fe2,
            "621E8202412183022FE28A0105AB0A800101900080010297008002000A880110",
        ),
        (
            0x6f07,
            "62248202412183026F078A0105AB10800101A406830101950108800102970080020009880138",
        ),
        (
            0x2f00,
            "622182054221001A0183022F008A0105AB0A800101900080010297008002001A8801F0",
        ),
        (
            0x3f00,
            "621F8202782183023F00A5038001718A0105AB058001069700C606900100830101",
        ),
    ] {
        assert_eq!(answer(&card, GET_RESPONSE, file, [0, 0, 0], None), expected);
    }
}

#[test]
fn the_pin_is_shown_as_enabled_where_the_sim_asks_for_it() {
    let card = Card::new(&Profile::nt35e().identity, 2, true);
    let described = answer(&card, STATUS, USIM, [0, 0, 0], None);
    assert!(described.contains("C606900180830101"), "{described}");
}

#[test]
fn a_file_is_found_where_it_is_and_nowhere_else() {
    let card = card();
    let read = |file, path| answer(&card, READ_BINARY, file, [0, 0, 0], path);
    let imsi = read(0x6f07, None);
    for path in ["3F007FFF", "3f007fff", "7FFF", "3F007F20", "7F20"] {
        assert_eq!(read(0x6f07, Some(path)), imsi, "{path}");
    }
    for path in ["", "3F00", "7F10", "3F007FFF5F3A", "7FFG", "é00"] {
        assert_eq!(read(0x6f07, Some(path)), "6A 82", "{path}");
    }
    assert_eq!(read(0x2fe2, Some("3F00")), read(0x2fe2, None));
    assert_eq!(read(0x2fe2, Some("3F007FFF")), "6A 82");
    for code in [
        READ_BINARY,
        READ_RECORD,
        GET_RESPONSE,
        STATUS,
        UPDATE_BINARY,
        0x20,
    ] {
        assert_eq!(answer(&card, code, 0x6f46, [0, 0, 0], None), "6A 82");
    }
}
