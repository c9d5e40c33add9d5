//! The words of English.

use super::place::{Place as P, SOFT};
use super::words::{
    Attribute as A, DOWN, FACE, GONE, GREY, GROUND, SKY, THING, UP, USUAL, Verb, Word, Word as W, does, less,
    more,
};

/// Words of one meaning, separated by `|`.
pub(super) const ENGLISH: &[(&str, Word)] = &[
    (
        "should|i|i want|i'd like|i would like|could you|can you|would you|want|please|the|a|an|this|these|those|to|with|by|be|is|are|so|all of|of the|image|picture|video|clip|shot|\
         photo|parts|part|areas|area|regions|region|side|tones|look|looks|looking|that are|that is|which are|\
         set|level|levels|effect|only|just|also|too|both|amount|way|overall",
        W::Filler,
    ),
    ("and|plus|as well as|&", W::And),
    ("then|and then|after that|afterwards|next", W::Then),
    ("but", W::But),
    (
        "make|turn|let|get|give|render|have|change|do|adjust|style|stylize|stylise|pull|bring|dial|crank",
        W::Verb(Verb::Make),
    ),
    ("paint|draw|painted|drawn|repaint", W::Verb(Verb::Paint)),
    ("strength|painting strength|style strength|paint strength", W::Strength),
    ("keep|leave|preserve|retain|kept|maintain|hold", W::Verb(Verb::Keep)),
    (
        "add|increase|raise|boost|lift|turn up|bring up|push|push up|crank up|pump up|strengthen|enhance|shift|\
         rotate|move|up",
        UP,
    ),
    ("more|higher|stronger|high|strong|increased", W::Turn { sign: 1.0, verb: false, usual: USUAL }),
    (
        "reduce|decrease|lower|turn down|bring down|pull down|dial back|dial down|tone down|crush|cut|weaken|\
         down|take down|drop",
        DOWN,
    ),
    ("less|weaker|low|reduced|not so|not as", W::Turn { sign: -1.0, verb: false, usual: USUAL }),
    ("remove|take away|get rid of|kill|drain|strip", GONE),
    ("no|without", W::Turn { sign: -1.0, verb: false, usual: 1.0 }),
    ("brighten|lighten|brighten up|lighten up", does(A::Brightness, 1.0)),
    ("darken|dim|darken down", does(A::Brightness, -1.0)),
    ("brighter|bright|lighter|light", more(A::Brightness)),
    ("darker|dark|dimmer", less(A::Brightness)),
    ("brightness|exposure|luminance", W::Attribute(A::Brightness)),
    ("contrast|contrasts", W::Attribute(A::Contrast)),
    ("contrasty|contrastier|punchier|punchy|crisper", more(A::Contrast)),
    ("flatter|flat", less(A::Contrast)),
    ("saturation", W::Attribute(A::Saturation)),
    ("saturate", does(A::Saturation, 1.0)),
    ("desaturate", does(A::Saturation, -1.0)),
    ("saturated|colourful|colorful|more colourful|more colorful", more(A::Saturation)),
    ("desaturated|paler|duller|muted|washed out", less(A::Saturation)),
    (
        "black and white|black & white|b&w|bw|monochrome|greyscale|grayscale|grey|gray|colourless|colorless",
        GREY,
    ),
    ("hue|hues", W::Attribute(A::Hue)),
    ("temperature|colour temperature|color temperature|warmth", W::Attribute(A::Temperature)),
    (
        "warm|warmer|hotter|redder|more red|yellower|more yellow|more orange|reddish|yellowish|golden",
        more(A::Temperature),
    ),
    ("cool|cooler|colder|cold|icier|bluer|more blue|bluish", less(A::Temperature)),
    ("warm up", does(A::Temperature, 1.0)),
    ("cool down", does(A::Temperature, -1.0)),
    ("tint", W::Attribute(A::Tint)),
    ("magenta|pink|pinker|more magenta|pinkish", more(A::Tint)),
    ("green|greener|greenish|more green", less(A::Tint)),
    ("vibrance|vibrancy", W::Attribute(A::Vibrance)),
    ("vibrant|vivid|more vivid|more vibrant|livelier", more(A::Vibrance)),
    ("grain|film grain|noise", W::Attribute(A::Grain)),
    ("grainy|grainier|noisy|noisier", more(A::Grain)),
    ("highlights|the whites|whites", W::Tones(A::Highlights, P::Bright)),
    ("shadows|the blacks|blacks", W::Tones(A::Shadows, P::Dark)),
    ("slightly|subtly|subtle|lightly|gently|faintly|a touch|a tad|fine|a hint of|barely", W::Degree(0.2)),
    ("a bit|a bit of|a little|a little bit|a little bit of|some|somewhat|little|bit", W::Degree(0.3)),
    ("half|by half|half of|halfway|moderately|medium", W::Degree(0.5)),
    ("half a stop|by half a stop", W::Degree(0.5)),
    ("a stop|one stop|a full stop|by a stop|by one stop", W::Degree(1.0)),
    ("two stops|by two stops", W::Degree(2.0)),
    ("a third|a third of|by a third", W::Degree(1.0 / 3.0)),
    ("a quarter|a quarter of|by a quarter", W::Degree(0.25)),
    ("quite|rather|fairly|noticeably|considerably", W::Degree(0.6)),
    (
        "much|very|strongly|a lot|a lot of|lots of|heavily|heavy|really|way more|far|greatly|mostly|most of|\
         deeply|dramatically|very much",
        W::Degree(0.8),
    ),
    (
        "fully|completely|entirely|totally|as much as possible|maximally|as possible|all the way|absolutely|\
         to the maximum|maximum",
        W::Degree(1.0),
    ),
    ("ten", W::Numeral(10.0)),
    ("twenty", W::Numeral(20.0)),
    ("thirty", W::Numeral(30.0)),
    ("forty", W::Numeral(40.0)),
    ("fifty", W::Numeral(50.0)),
    ("sixty", W::Numeral(60.0)),
    ("seventy", W::Numeral(70.0)),
    ("eighty", W::Numeral(80.0)),
    ("ninety", W::Numeral(90.0)),
    (
        "everything|everywhere|all|whole frame|whole picture|whole image|entire frame|entire picture|\
         entire image|frame|whole thing|whole video|entire video",
        W::Place(P::Whole),
    ),
    ("left half|left|left side|left part|left hand side", W::Place(P::Left)),
    ("right half|right|right side|right part|right hand side", W::Place(P::Right)),
    ("top half|upper half|top|upper part|top part", W::Place(P::Top)),
    ("bottom half|lower half|bottom|lower part|bottom part", W::Place(P::Bottom)),
    ("left third", W::Place(P::LeftThird)),
    ("middle third|centre third|center third|central third", W::Place(P::MiddleThird)),
    ("right third", W::Place(P::RightThird)),
    ("top third|upper third", W::Place(P::TopThird)),
    ("bottom third|lower third", W::Place(P::BottomThird)),
    ("left and right thirds|right and left thirds|side thirds|outer thirds", W::Place(P::SideThirds)),
    ("top and bottom thirds|bottom and top thirds|upper and lower thirds", W::Place(P::TopAndBottomThirds)),
    (
        "top left|top left corner|top left quarter|upper left|upper left corner|upper left quarter",
        W::Place(P::TopLeft),
    ),
    (
        "top right|top right corner|top right quarter|upper right|upper right corner|upper right quarter",
        W::Place(P::TopRight),
    ),
    (
        "bottom left|bottom left corner|bottom left quarter|lower left|lower left corner|lower left quarter",
        W::Place(P::BottomLeft),
    ),
    (
        "bottom right|bottom right corner|bottom right quarter|lower right|lower right corner|\
         lower right quarter",
        W::Place(P::BottomRight),
    ),
    ("centre|center|middle", W::Place(P::Centre)),
    ("edges|borders|corners|surroundings|outside", W::Place(P::Edges)),
    ("dark parts|dark areas|dark regions|darks|dark tones|darkest parts", W::Place(P::Dark)),
    ("midtones|mid tones|middle tones|mids", W::Place(P::Middling)),
    (
        "bright parts|bright areas|bright regions|brights|light parts|light areas|lights|bright tones|\
         brightest parts",
        W::Place(P::Bright),
    ),
    ("reds|red|red parts|red areas|red tones", W::Place(P::Reds)),
    ("oranges|orange|orange parts|orange tones", W::Place(P::Oranges)),
    ("yellows|yellow|yellow parts|yellow areas|yellow tones", W::Place(P::Yellows)),
    ("greens|green parts|green areas|green tones", W::Place(P::Greens)),
    ("cyans|cyan|cyan parts|turquoise|teals|teal", W::Place(P::Cyans)),
    ("blues|blue|blue parts|blue areas|blue tones", W::Place(P::Blues)),
    ("purples|purple|violets|violet|purple parts|magentas", W::Place(P::Purples)),
    ("skin tones|skin|skintones|skin tone", W::Place(P::Skin)),
    (
        "mask|matte|masked part|masked parts|masked area|masked region|inside the mask|inside of the mask",
        W::Place(P::Mask),
    ),
    (
        "detected|any detected|all detected|all the detected|all of the detected|every detected|each detected",
        W::Detected,
    ),
    (
        "detections|detected parts|detected part|detected areas|detected area|detected regions|detected region|detected objects|\
         detected things|what is detected|what was detected|whatever is detected|everything detected|everything that is detected|\
         anything detected|all detections|all the detections|all of the detections|every detection",
        W::Place(P::Detections),
    ),
    ("opaque parts|opaque part|opaque areas|opaque", W::Place(P::Opaque)),
    ("transparent parts|transparent part|transparent areas|transparent", W::Place(P::Transparent)),
    (
        "outside the mask|outside of the mask|unmasked part|unmasked parts|unmasked area",
        W::Place(P::Unmasked),
    ),
    (
        "rest|everything else|everywhere else|elsewhere|all the rest|remainder|rest of it|\
         rest of the frame|rest of the picture|rest of the image|all else|others|other parts",
        W::Rest,
    ),
    ("it|its|it's|them|their|there|that", W::Pronoun),
    ("except|except for|excluding|but not|apart from|other than|all but not|save for", W::Except),
    ("in|on|at|of|for|within|over|across|inside|from|around", W::In),
    ("as|like|in the style of|in style of|styled as|painted as|into|use", W::As),
    ("colours|colors|colour|color", W::Colours),
    ("own colours|own colors|original colours|original colors|natural colours|natural colors", W::OwnColours),
    ("not|don't|do not|never|dont", W::Not),
    (
        "unpainted|unpaint|as it is|as they are|alone|untouched|as is|unstyled|original|natural|real|unchanged|\
         photographic|un painted",
        W::Unpainted,
    ),
    ("before painting|before it is painted|before the painting|before style|before styling", W::Before(true)),
    ("after painting|after it is painted|after the painting|after styling", W::Before(false)),
    (
        "softly|soft edges|soft edge|a soft edge|with soft edges|with a soft edge|\
         smooth edges|blurred edges|soft borders",
        W::Edge(SOFT),
    ),
    ("feather|feathered|feathered edges|feathering|with a feather of|feather of", W::Feather),
    ("very soft edges|a very soft edge|very soft edge|very softly", W::Edge(2.0 * SOFT)),
    (
        "hard edge|hard edges|a hard edge|sharp edge|sharp edges|with hard edges|with a hard edge",
        W::Edge(0.0),
    ),
    ("face|faces|head|hair|eyes", W::Masked(FACE)),
    ("sky|clouds", W::Masked(SKY)),
    (
        "person|people|man|woman|subject|singer|dancer|actor|foreground|car|dog|cat|tree|trees|water|building|\
         buildings|body|clothes|hands|actress|speaker|child",
        W::Masked(THING),
    ),
    ("background|backdrop|surface|wall|ground|floor", W::Masked(GROUND)),
    ("blur|defocus|soften", does(A::Blur, 1.0)),
    ("blurred|blurry|blurrier|out of focus", more(A::Blur)),
    ("sharpen", does(A::Blur, -1.0)),
    ("sharper|sharp", less(A::Blur)),
    ("ink|outline|outlines|ink outlines|ink edges|ink lines|contours|lines", W::Attribute(A::Ink)),
    ("draw edges|draw outlines|draw the outlines", does(A::Ink, 1.0)),
    ("outlined|inked", more(A::Ink)),
    ("abstraction", W::Attribute(A::Abstraction)),
    ("simplify", does(A::Abstraction, 1.0)),
    ("abstract|simpler|simplified", more(A::Abstraction)),
    ("bokeh|sharpness|denoise|smoother|glow|bloom|distort|invert|posterize|pixelate", W::Missing("")),
    (
        "fine strokes|finer strokes|thin strokes|thinner strokes|small strokes|smaller strokes|strokes fine|strokes finer|\
         finer brush strokes|fine brush strokes",
        W::Strokes(0.5),
    ),
    (
        "broad strokes|broader strokes|bold strokes|bolder strokes|wide strokes|wider strokes|thick strokes|\
         thicker strokes|big strokes|bigger strokes|strokes broad|strokes broader|strokes bold|thicker brush strokes|\
         broad brush strokes",
        W::Strokes(2.0),
    ),
    ("apply", W::Apply),
    (
        "in the colours of|in the colors of|in the palette of|with the colours of|with the colors of|with the palette of",
        W::ColoursOf,
    ),
    (
        "stroke|strokes|brush stroke|brush strokes|brushstrokes|stroke width|strokes width|brush|thicker|wider|thinner",
        W::Missing("; expected 'fine strokes' or 'broad strokes', or --stroke for the whole frame"),
    ),
    ("flicker|steadier|flickering", W::Missing("; --temporal steadies the whole frame")),
];
