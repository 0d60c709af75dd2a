//! The geometry of frames: how large a picture becomes and which part of it is seen. Nothing here stretches: width and height
//! are scaled alike, up to the rounding to whole pixels.

/// Width and height, in pixels, each at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::library) struct Size {
    pub(in crate::library) width_px: u32,
    pub(in crate::library) height_px: u32,
}

impl Size {
    pub(in crate::library) const fn new(width_px: u32, height_px: u32) -> Self {
        Self {
            width_px,
            height_px,
        }
    }

    /// The size after a turn by a quarter.
    pub(in crate::library) const fn turned(self) -> Self {
        Self::new(self.height_px, self.width_px)
    }
}

/// A part of a picture, in its pixels and fractions of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::library) struct Area {
    pub(in crate::library) left_px: f64,
    pub(in crate::library) top_px: f64,
    pub(in crate::library) width_px: f64,
    pub(in crate::library) height_px: f64,
}

/// The largest size of the whole picture in the frame.
pub(in crate::library) fn fitted(picture: Size, frame: Size) -> Size {
    let [width, height, frame_width, frame_height] = wide(picture, frame);
    let rounded = |dividend: u64, divisor: u64| ((dividend + divisor / 2) / divisor).max(1) as u32;
    if width * frame_height > height * frame_width {
        Size::new(frame.width_px, rounded(height * frame_width, width))
    } else {
        Size::new(rounded(width * frame_height, height), frame.height_px)
    }
}

/// The same, but never larger than the picture is.
pub(in crate::library) fn shrunk(picture: Size, frame: Size) -> Size {
    if picture.width_px <= frame.width_px && picture.height_px <= frame.height_px {
        picture
    } else {
        fitted(picture, frame)
    }
}

/// The largest part of the picture that has the frame's shape, in its middle.
pub(in crate::library) fn filling(picture: Size, frame: Size) -> Area {
    let [width, height, frame_width, frame_height] = wide(picture, frame).map(|px| px as f64);
    let scale = (width / frame_width).min(height / frame_height);
    // Not a hair more than there is: floating point rounds.
    let middle = |length: f64, of: f64| {
        let from = ((of - length) / 2.0).max(0.0);
        (from, length.min(of - from))
    };
    let (left_px, width_px) = middle(frame_width * scale, width);
    let (top_px, height_px) = middle(frame_height * scale, height);
    Area {
        left_px,
        top_px,
        width_px,
        height_px,
    }
}

/// Where the inner one begins in the middle of the outer one: from its left and from its top, in pixels.
pub(in crate::library) fn centred(inner: Size, outer: Size) -> (u32, u32) {
    (
        (outer.width_px - inner.width_px) / 2,
        (outer.height_px - inner.height_px) / 2,
    )
}

fn wide(picture: Size, frame: Size) -> [u64; 4] {
    [
        picture.width_px,
        picture.height_px,
        frame.width_px,
        frame.height_px,
    ]
    .map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn sizes() -> impl Strategy<Value = Size> {
        (1_u32..20_000, 1_u32..20_000).prop_map(|(width, height)| Size::new(width, height))
    }

    /// Whether a size is a picture's, scaled in both directions alike: by one side exactly, by the other up to rounding.
    fn is_scaled(picture: Size, size: Size) -> bool {
        let [width, height, to_width, to_height] = wide(picture, size).map(|px| px as f64);
        let near = |exact: f64, is: f64| (exact - is).abs() <= 0.5 + 1e-6 || is == 1.0;
        near(height * to_width / width, to_height) || near(width * to_height / height, to_width)
    }

    proptest! {
        #[test]
        fn a_fitted_picture_is_whole_as_large_as_may_be_and_not_stretched(picture in sizes(), frame in sizes()) {
            let size = fitted(picture, frame);
            prop_assert!(size.width_px <= frame.width_px && size.height_px <= frame.height_px);
            prop_assert!(size.width_px == frame.width_px || size.height_px == frame.height_px);
            prop_assert!(size.width_px > 0 && size.height_px > 0);
            prop_assert!(is_scaled(picture, size), "{:?}", size);
            prop_assert_eq!(fitted(picture.turned(), frame.turned()), size.turned());
        }

        #[test]
        fn a_shrunk_picture_is_never_enlarged(picture in sizes(), frame in sizes()) {
            let size = shrunk(picture, frame);
            prop_assert!(size.width_px <= frame.width_px.min(picture.width_px));
            prop_assert!(size.height_px <= frame.height_px.min(picture.height_px));
            prop_assert!(is_scaled(picture, size), "{:?}", size);
        }

        #[test]
        fn a_cropped_picture_fills_the_frame_from_its_middle(picture in sizes(), frame in sizes()) {
            let area = filling(picture, frame);
            let [width, height, frame_width, frame_height] = wide(picture, frame).map(|px| px as f64);
            prop_assert!(area.left_px >= 0.0 && area.top_px >= 0.0);
            prop_assert!(area.left_px + area.width_px <= width && area.top_px + area.height_px <= height);
            prop_assert!(area.left_px < 1e-6 || area.top_px < 1e-6, "one side is seen whole");
            let stretch = (area.width_px / frame_width) / (area.height_px / frame_height);
            prop_assert!((stretch - 1.0).abs() < 1e-9, "{}", stretch);
            let right = width - area.width_px - area.left_px;
            prop_assert!((area.left_px - right).abs() < 1e-6);
        }

        #[test]
        fn what_is_centred_lies_within(outer in sizes(), share in (0.0..=1.0, 0.0..=1.0)) {
            let part = |px: u32, share: f64| ((f64::from(px) * share) as u32).clamp(1, px);
            let inner = Size::new(part(outer.width_px, share.0), part(outer.height_px, share.1));
            let (left, top) = centred(inner, outer);
            let (right, bottom) = (outer.width_px - inner.width_px - left, outer.height_px - inner.height_px - top);
            prop_assert!(right - left <= 1 && bottom - top <= 1);
        }
    }
}
