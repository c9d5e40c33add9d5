//! Where the samples of each pixel format lie: one table, which the planes' sizes, the reference
//! conversion and its tests read.

use super::PixelFormat;

/// What the three components of a format are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Y', Cb, Cr.
    Yuv,
}

/// How one sample is stored: `depth` significant bits, shifted up by `shift`, in `bytes` bytes, least
/// significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleKind {
    /// Bytes in memory.
    pub bytes: usize,
    /// Significant bits.
    pub depth: u32,
    /// Unused bits below them.
    pub shift: u32,
}

/// Where the samples of one component lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// The plane that holds them.
    pub plane: usize,
    /// Bytes from the start of a row to the first sample.
    pub offset: usize,
    /// Bytes from one sample to the next.
    pub step: usize,
    /// Pixels that one sample covers, to the right: 1 or 2.
    pub across: usize,
    /// Pixels that one sample covers, downwards: 1 or 2.
    pub down: usize,
}

/// How the pixels of a format lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The name that GStreamer and people use.
    pub name: &'static str,
    /// How a sample is stored.
    pub sample: SampleKind,
    /// What the components are.
    pub colour: Colour,
    /// How many planes there are.
    pub planes: usize,
    /// Red, green, blue or Y', Cb, Cr.
    pub components: [Component; 3],
    /// Opacity, where the format has it.
    pub alpha: Option<Component>,
    /// Bytes of a pixel or, where pixels share chroma in one plane, of a pair; per plane.
    pub groups: [Group; super::MAX_PLANES],
}

/// The smallest run of bytes that repeats along a row of a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Bytes of the run.
    pub bytes: usize,
    /// Pixels it covers to the right.
    pub across: usize,
    /// Pixels it covers downwards.
    pub down: usize,
}

const BYTE: SampleKind = SampleKind { bytes: 1, depth: 8, shift: 0 };
/// The upper 10 bits of two bytes.
const TEN_BITS: SampleKind = SampleKind { bytes: 2, depth: 10, shift: 6 };
const NO_GROUP: Group = Group { bytes: 0, across: 1, down: 1 };

const fn group(bytes: usize, across: usize, down: usize) -> Group {
    Group { bytes, across, down }
}

const fn component(plane: usize, offset: usize, step: usize, across: usize, down: usize) -> Component {
    Component { plane, offset, step, across, down }
}

/// Packed RGB in pixels of `step` bytes, its components at these offsets.
const fn packed(name: &'static str, step: usize, at: [usize; 3], alpha: bool) -> Layout {
    Layout {
        name,
        sample: BYTE,
        colour: Colour::Rgb,
        planes: 1,
        components: [
            component(0, at[0], step, 1, 1),
            component(0, at[1], step, 1, 1),
            component(0, at[2], step, 1, 1),
        ],
        alpha: if alpha { Some(component(0, 3, step, 1, 1)) } else { None },
        groups: [group(step, 1, 1), NO_GROUP, NO_GROUP],
    }
}

const RGB: Layout = packed("RGB", 3, [0, 1, 2], false);
const BGR: Layout = packed("BGR", 3, [2, 1, 0], false);
const RGBX: Layout = packed("RGBx", 4, [0, 1, 2], false);
const BGRX: Layout = packed("BGRx", 4, [2, 1, 0], false);
const RGBA: Layout = packed("RGBA", 4, [0, 1, 2], true);
const BGRA: Layout = packed("BGRA", 4, [2, 1, 0], true);
const NV12: Layout = Layout {
    name: "NV12",
    sample: BYTE,
    colour: Colour::Yuv,
    planes: 2,
    components: [component(0, 0, 1, 1, 1), component(1, 0, 2, 2, 2), component(1, 1, 2, 2, 2)],
    alpha: None,
    groups: [group(1, 1, 1), group(2, 2, 2), NO_GROUP],
};
const I420: Layout = Layout {
    name: "I420",
    sample: BYTE,
    colour: Colour::Yuv,
    planes: 3,
    components: [component(0, 0, 1, 1, 1), component(1, 0, 1, 2, 2), component(2, 0, 1, 2, 2)],
    alpha: None,
    groups: [group(1, 1, 1), group(1, 2, 2), group(1, 2, 2)],
};
const YUY2: Layout = Layout {
    name: "YUY2",
    sample: BYTE,
    colour: Colour::Yuv,
    planes: 1,
    components: [component(0, 0, 2, 1, 1), component(0, 1, 4, 2, 1), component(0, 3, 4, 2, 1)],
    alpha: None,
    groups: [group(4, 2, 1), NO_GROUP, NO_GROUP],
};
const P010: Layout = Layout {
    name: "P010_10LE",
    sample: TEN_BITS,
    colour: Colour::Yuv,
    planes: 2,
    components: [component(0, 0, 2, 1, 1), component(1, 0, 4, 2, 2), component(1, 2, 4, 2, 2)],
    alpha: None,
    groups: [group(2, 1, 1), group(4, 2, 2), NO_GROUP],
};

impl Layout {
    /// Bytes of a row of `width` pixels of a plane; saturates.
    pub fn row_bytes(&self, plane: usize, width: usize) -> usize {
        let group = self.groups.get(plane).unwrap_or(&NO_GROUP);
        width.div_ceil(group.across).saturating_mul(group.bytes)
    }

    /// Rows of a plane of a picture of `height` pixels; 0 for a plane that the format has not.
    pub fn rows(&self, plane: usize, height: usize) -> usize {
        let group = self.groups.get(plane).unwrap_or(&NO_GROUP);
        if group.bytes == 0 { 0 } else { height.div_ceil(group.down) }
    }
}

impl PixelFormat {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Rgb,
        Self::Bgr,
        Self::Rgbx,
        Self::Bgrx,
        Self::Rgba,
        Self::Bgra,
        Self::Nv12,
        Self::I420,
        Self::Yuy2,
        Self::P010,
    ];

    /// Where the format's samples lie.
    pub const fn layout(self) -> &'static Layout {
        match self {
            Self::Rgb => &RGB,
            Self::Bgr => &BGR,
            Self::Rgbx => &RGBX,
            Self::Bgrx => &BGRX,
            Self::Rgba => &RGBA,
            Self::Bgra => &BGRA,
            Self::Nv12 => &NV12,
            Self::I420 => &I420,
            Self::Yuy2 => &YUY2,
            Self::P010 => &P010,
        }
    }

    /// The name that GStreamer and people use, such as `RGBx`.
    pub const fn name(self) -> &'static str {
        self.layout().name
    }

    /// Whether pixels have an opacity.
    pub const fn has_alpha(self) -> bool {
        self.layout().alpha.is_some()
    }

    /// Whether the components are Y', Cb and Cr.
    pub const fn is_yuv(self) -> bool {
        matches!(self.layout().colour, Colour::Yuv)
    }
}
