//! Subtitles on their way from one container to another: GStreamer hands them over marked up, and the
//! containers want plain text, or the few tags that SubRip has.

use gstreamer as gst;
use gstreamer::prelude::*;

/// Makes the text that leaves `pad` plain; the tags `<b>`, `<i>` and `<u>` stay where `keep_tags`.
pub fn make_plain(pad: &gst::Pad, keep_tags: bool) {
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        if let Some(buffer) = info.buffer_mut()
            && let Some(text) = plain_buffer(buffer, keep_tags)
        {
            *buffer = text;
        }
        gst::PadProbeReturn::Ok
    });
}

/// The buffer with its text made plain, and all its times.
fn plain_buffer(buffer: &gst::Buffer, keep_tags: bool) -> Option<gst::Buffer> {
    let marked_up = buffer.map_readable().ok()?;
    let text = plain(&String::from_utf8_lossy(&marked_up), keep_tags);
    let times = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS;
    let mut plain = gst::Buffer::from_slice(text.into_bytes());
    buffer.copy_into(plain.get_mut()?, times, ..).ok()?;
    Some(plain)
}

/// Marked-up text without its markup, its entities written out.
fn plain(marked_up: &str, keep_tags: bool) -> String {
    let mut text = String::with_capacity(marked_up.len());
    let mut rest = marked_up;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with('<') { rest.find('>') } else { rest.find(';') };
        let Some(end) = end else { break };
        let token = &rest[..=end];
        if token.starts_with('<') {
            let name = token.trim_matches(['<', '>', '/']);
            text.push_str(if keep_tags && ["b", "i", "u"].contains(&name) { token } else { "" });
        } else {
            match entity(token) {
                Some(character) => text.push(character),
                None => text.push_str(token),
            }
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    text
}

/// The character that `&amp;` or `&#39;` stands for.
fn entity(token: &str) -> Option<char> {
    match token {
        "&amp;" => Some('&'),
        "&lt;" => Some('<'),
        "&gt;" => Some('>'),
        "&quot;" => Some('"'),
        "&apos;" => Some('\''),
        _ => {
            let number = token.strip_prefix("&#")?.strip_suffix(';')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_entities_become_characters() {
        assert_eq!(
            plain("<i>Tom &amp; Jerry</i> <span size=\"9\">&#39;5 &lt; 6&#x27;</span>", false),
            "Tom & Jerry '5 < 6'"
        );
        assert_eq!(plain("<i>Tom</i><span>!</span>", true), "<i>Tom</i>!");
    }

    #[test]
    fn text_that_only_looks_like_markup_stays() {
        assert_eq!(plain("3 < 4 & more", false), "3 < 4 & more");
        assert_eq!(plain("a &nonsense; b", false), "a &nonsense; b");
    }
}
