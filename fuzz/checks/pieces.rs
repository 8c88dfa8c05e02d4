/// Cuts bytes into pieces of 1 to 8 bytes, as the seed has it.
pub(crate) fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut state = u32::from(seed) + 1;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let length = (1 + state as usize % 8).min(rest.len());
        let piece = rest.split_off(..length)?;
        (!piece.is_empty()).then_some(piece)
    })
}
