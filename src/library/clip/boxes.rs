//! Boxes in memory: a length, four letters, a content. What does not fit ends the walk; nothing here can fail or panic.

/// Four letters that tell what a box holds.
pub(in crate::library) type Kind = [u8; 4];

/// The boxes that lie one after the other in these bytes: their kinds and contents.
pub(in crate::library) fn boxes(bytes: &[u8]) -> impl Iterator<Item = (Kind, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (header, after) = rest.split_at_checked(8)?;
        let kind = [header[4], header[5], header[6], header[7]];
        let (content, next) = match u32_at(header, 0)? {
            0 => (after, &[][..]),
            1 => {
                let length = usize::try_from(u64_at(after, 0)?).ok()?;
                after.get(8..)?.split_at_checked(length.checked_sub(16)?)?
            }
            length => after.split_at_checked(usize::try_from(length).ok()?.checked_sub(8)?)?,
        };
        rest = next;
        Some((kind, content))
    })
}

/// The first box of this kind.
pub(in crate::library) fn first<'a>(bytes: &'a [u8], kind: &Kind) -> Option<&'a [u8]> {
    boxes(bytes).find_map(|(found, content)| (found == *kind).then_some(content))
}

/// The box at the end of a path of kinds.
pub(in crate::library) fn at<'a>(bytes: &'a [u8], path: &[&Kind]) -> Option<&'a [u8]> {
    path.iter()
        .try_fold(bytes, |within, kind| first(within, kind))
}

pub(in crate::library) fn u16_at(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*found).into())
}

pub(in crate::library) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*found))
}

pub(in crate::library) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let found = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_be_bytes(*found))
}

/// The entries of a table: so many bytes each, as many as are counted at `counted_at` and really there.
pub(in crate::library) fn entries<const N: usize>(table: &[u8], counted_at: usize) -> &[[u8; N]] {
    let count = u32_at(table, counted_at).unwrap_or(0);
    let bytes = table.get(counted_at + 4..).unwrap_or_default();
    let (entries, _) = bytes.as_chunks();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    &entries[..count.min(entries.len())]
}
