//! How large the pictures of a HEIC really are. What its container promises may be a lie; the coded pictures tell for
//! themselves, in what their decoder reads first, how many pixels it will have to hold.

use std::collections::HashMap;

use super::clip::boxes::{Kind, at, boxes, first, u16_at, u32_at};

/// The pixels of the largest picture that somebody who decodes all of it has to hold, as its coded data says; nothing, if that
/// says nothing.
pub(super) fn coded_pixels(heic: &[u8]) -> Option<u64> {
    let meta = first(heic, b"meta")?.get(4..)?;
    let properties: Vec<Option<u64>> = boxes(at(meta, &[b"iprp", b"ipco"])?)
        .map(|(kind, content)| (kind == *b"hvcC").then(|| of_decoder(content)).flatten())
        .collect();
    let coded = of_items(first(first(meta, b"iprp")?, b"ipma")?, &properties);
    // One that is put together of others holds all of them.
    let composed = first(meta, b"iref").map(|references| composed_of(references, &coded));
    coded.values().copied().chain(composed.flatten()).max()
}

/// The pixels of each item that is coded.
fn of_items(associations: &[u8], properties: &[Option<u64>]) -> HashMap<u32, u64> {
    let mut coded = HashMap::new();
    let read = |coded: &mut HashMap<u32, u64>| -> Option<()> {
        let version = *associations.first()?;
        let is_wide = associations.get(3)? & 1 == 1;
        let mut rest = associations.get(8..)?;
        for _ in 0..u32_at(associations, 4)? {
            let item;
            (item, rest) = id(rest, version > 0)?;
            let count = usize::from(*rest.first()?);
            rest = rest.get(1..)?;
            for _ in 0..count {
                let index = match is_wide {
                    true => u16_at(rest, 0)? & 0x7fff,
                    false => u32::from(rest.first()? & 0x7f),
                };
                rest = rest.get(if is_wide { 2 } else { 1 }..)?;
                // They are counted from one.
                let at = usize::try_from(index).ok()?.checked_sub(1);
                if let Some(pixels) = at.and_then(|at| *properties.get(at)?) {
                    let most = coded.entry(item).or_insert(0);
                    *most = pixels.max(*most);
                }
            }
        }
        Some(())
    };
    // What is cut off was read as far as it goes.
    let _ = read(&mut coded);
    coded
}

/// The most pixels of an item that is put together of others.
fn composed_of(references: &[u8], coded: &HashMap<u32, u64>) -> Option<u64> {
    let is_long = *references.first()? > 0;
    let all = boxes(references.get(4..)?);
    let of = |content: &[u8]| -> Option<u64> {
        let (_, rest) = id(content, is_long)?;
        let mut rest = rest.get(2..)?;
        let mut pixels = 0_u64;
        while let Some((part, next)) = id(rest, is_long) {
            pixels = pixels.saturating_add(coded.get(&part).copied().unwrap_or(0));
            rest = next;
        }
        Some(pixels)
    };
    let composed = all.filter(|(kind, _): &(Kind, _)| kind == b"dimg");
    composed.filter_map(|(_, content)| of(content)).max()
}

fn id(bytes: &[u8], is_long: bool) -> Option<(u32, &[u8])> {
    match is_long {
        true => Some((u32_at(bytes, 0)?, bytes.get(4..)?)),
        false => Some((u16_at(bytes, 0)?, bytes.get(2..)?)),
    }
}

/// What a parameter set of a sequence is called among the units of HEVC.
const PARAMETERS: u8 = 33;

/// The pixels that the decoder is configured for.
fn of_decoder(configuration: &[u8]) -> Option<u64> {
    let mut rest = configuration.get(23..)?;
    let mut most = None;
    for _ in 0..*configuration.get(22)? {
        let is_parameters = rest.first()? & 0x3f == PARAMETERS;
        let count = u16_at(rest, 1)?;
        rest = rest.get(3..)?;
        for _ in 0..count {
            let length = usize::try_from(u16_at(rest, 0)?).ok()?;
            let unit;
            (unit, rest) = rest.get(2..)?.split_at_checked(length)?;
            if is_parameters {
                most = most.max(of_parameters(unit));
            }
        }
    }
    most
}

/// The pixels of a picture by a parameter set of its sequence.
fn of_parameters(unit: &[u8]) -> Option<u64> {
    let mut bits = Bits::of_unit(unit.get(2..)?);
    bits.skip(4);
    let layers = bits.take(3)?;
    bits.skip(1);
    // The profile and level of all, and which of the layers beneath have their own.
    bits.skip(96);
    let own: Vec<u32> = (0..layers).map_while(|_| bits.take(2)).collect();
    if layers > 0 {
        bits.skip(2 * (8 - u64::from(layers)));
    }
    for layer in own {
        bits.skip(if layer & 2 != 0 { 88 } else { 0 });
        bits.skip(if layer & 1 != 0 { 8 } else { 0 });
    }
    bits.number()?;
    if bits.number()? == 3 {
        bits.skip(1);
    }
    Some(bits.number()?.saturating_mul(bits.number()?))
}

/// Bits, one after the other.
struct Bits {
    bytes: Vec<u8>,
    at: u64,
}

impl Bits {
    /// Those of a unit, without the bytes that only keep its contents from looking like its end.
    fn of_unit(unit: &[u8]) -> Self {
        let (mut bytes, mut zeros) = (Vec::with_capacity(unit.len()), 0);
        for byte in unit {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn skip(&mut self, bits: u64) {
        self.at = self.at.saturating_add(bits);
    }

    fn take(&mut self, bits: u32) -> Option<u32> {
        (0..bits).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(usize::try_from(self.at / 8).ok()?)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    /// A number whose zeros in front tell how long it is.
    fn number(&mut self) -> Option<u64> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = u64::from(self.take(zeros)?);
        Some((1_u64 << zeros) - 1 + rest)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn boxed(kind: &Kind, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes(), &kind[..], content].concat()
    }

    fn coded(number: u64) -> String {
        let bits = format!("{:b}", number + 1);
        format!("{}{bits}", "0".repeat(bits.len() - 1))
    }

    /// A decoder's configuration for pictures of this size, with so many layers beneath.
    fn configuration(width: u64, height: u64, layers: u32) -> Vec<u8> {
        let mut bits = format!("0000{layers:03b}1{}", "0".repeat(96));
        if layers > 0 {
            bits.push_str(&"11".repeat(layers as usize));
            bits.push_str(&"00".repeat(8 - layers as usize));
            bits.push_str(&"0".repeat(96 * layers as usize));
        }
        bits.push_str(&coded(0));
        bits.push_str(&coded(1));
        bits.push_str(&coded(width));
        bits.push_str(&coded(height));
        bits.push_str(&"1".repeat(8 - bits.len() % 8));
        let mut unit = vec![PARAMETERS << 1, 1];
        let mut zeros = 0;
        for byte in bits.as_bytes().chunks(8) {
            let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
            if zeros >= 2 && byte <= 3 {
                unit.push(3);
                zeros = 0;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            unit.push(byte);
        }
        let mut content = vec![0; 22];
        content.extend([1, 0x80 | PARAMETERS, 0, 1]);
        content.extend(u16::try_from(unit.len()).unwrap().to_be_bytes());
        content.extend(unit);
        boxed(b"hvcC", &content)
    }

    /// A HEIC whose container promises this size, and whose pictures are really as large as these; the last of them is put
    /// together of so many of the first.
    pub(in crate::library) fn lying(promised: (u32, u32), real: (u64, u64), tiles: u16) -> Vec<u8> {
        let (width, height) = promised;
        let size = [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat();
        let properties = [boxed(b"ispe", &size), configuration(real.0, real.1, 0)].concat();
        // Two items: the first is promised and coded, the second only promised.
        let associations = [
            &[0, 0, 0, 0, 0, 0, 0, 2][..],
            &[0, 1, 2, 0x81, 2, 0, 2, 1, 1],
        ]
        .concat();
        let mut parts = vec![0, 2];
        parts.extend(tiles.to_be_bytes());
        for _ in 0..tiles {
            parts.extend([0, 1]);
        }
        let references = [vec![0; 4], boxed(b"dimg", &parts)].concat();
        let described = [boxed(b"ipco", &properties), boxed(b"ipma", &associations)].concat();
        let meta = [
            vec![0; 4],
            boxed(b"iprp", &described),
            boxed(b"iref", &references),
        ]
        .concat();
        [
            boxed(b"ftyp", b"heic\0\0\0\0mif1heic"),
            boxed(b"meta", &meta),
            boxed(b"mdat", &[0; 64]),
        ]
        .concat()
    }

    #[test]
    fn the_coded_pictures_tell_their_size_whatever_is_promised() {
        for (real, tiles, pixels) in [
            ((16_000, 12_000), 0, 192_000_000),
            ((4032, 3024), 0, 12_192_768),
            ((512, 512), 48, 48 * 512 * 512),
            ((8192, 8192), 3, 3 * 8192 * 8192),
        ] {
            let heic = lying((1080, 1920), real, tiles);
            assert_eq!(coded_pixels(&heic), Some(pixels), "{real:?} × {tiles}");
        }
        for layers in 0..=6 {
            let configuration = configuration(1920, 1088, layers);
            assert_eq!(
                of_decoder(&configuration[8..]),
                Some(1920 * 1088),
                "{layers}"
            );
        }
    }

    #[test]
    fn nothing_that_is_cut_off_or_scrambled_breaks_it() {
        let whole = lying((1080, 1920), (16_000, 12_000), 4);
        for length in 0..whole.len() {
            let _ = coded_pixels(&whole[..length]);
            let mut scrambled = whole.clone();
            scrambled[length] ^= 0xff;
            let _ = coded_pixels(&scrambled);
        }
        assert_eq!(coded_pixels(b"\0\0\0\x18ftypheic"), None);
    }
}
