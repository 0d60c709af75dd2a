//! Whatever an owner writes is refused or safe, and whatever people write is safe in it.

use proptest::prelude::*;

use super::*;
use crate::domain::messages::{CAPTION_UNITS, Text};

/// What is seen of a text in Telegram's HTML, read as strictly as anybody could.
pub(crate) fn seen(html: &str) -> Result<String, String> {
    let mut text = String::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(next) = rest.chars().next() {
        let long = match next {
            '<' => {
                let end = rest.find('>').ok_or("a tag without an end")?;
                let tag = &rest[1..end];
                match tag.strip_prefix('/') {
                    Some(name) if open.pop() == Some(name) => {}
                    Some(name) => return Err(format!("</{name}> closes nothing")),
                    None => open.push(tag.split(' ').next().unwrap()),
                }
                if tag.contains('<') || tag.matches('"').count() % 2 == 1 {
                    return Err(format!("<{tag}> is odd"));
                }
                end + 1
            }
            '>' => return Err("a plain >".into()),
            '&' => {
                let known = [
                    ("&lt;", '<'),
                    ("&gt;", '>'),
                    ("&amp;", '&'),
                    ("&quot;", '"'),
                ];
                let (entity, character) = known
                    .into_iter()
                    .find(|(entity, _)| rest.starts_with(entity))
                    .ok_or("a plain &")?;
                text.push(character);
                entity.len()
            }
            other => {
                text.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[long..];
    }
    match open.pop() {
        Some(tag) => Err(format!("<{tag}> is not closed")),
        None => Ok(text),
    }
}

fn lines(most: usize) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-zäß😀🔗·:#(), \"'>-]{1,12}",
        Just("[[".to_owned()),
        Just("}}".to_owned()),
        Just("&amp;".to_owned()),
        Just("&lt;".to_owned()),
    ];
    // Without those that are always there and take much room, so that few templates are too long.
    let placeholder = prop::sample::select(vec![
        "{again}",
        "{link}",
        "{tags}",
        "{caption}",
        "{needs}",
        "{category}",
        "{due}",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![word, placeholder.clone()];
    let tags = vec![
        ("<b>", "</b>"),
        ("<tg-spoiler>", "</tg-spoiler>"),
        ("<span class=\"tg-spoiler\">", "</span>"),
        ("<a href=\"{link}\">", "</a>"),
        ("<a href=\"https://example.com/?a=1&amp;b=2\">", "</a>"),
        ("<pre>", "</pre>"),
    ];
    let run = leaf.prop_recursive(3, 12, 4, move |inner| {
        (
            prop::sample::select(tags.clone()),
            prop::collection::vec(inner, 0..4),
        )
            .prop_map(|((open, close), inner)| format!("{open}{}{close}", inner.concat()))
    });
    let optional = (run.clone(), placeholder).prop_map(|(run, name)| format!("[{run}{name}]"));
    let piece = prop_oneof![4 => run, 1 => optional];
    let line = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    prop::collection::vec(line, 0..most).prop_map(|lines| lines.join("\n"))
}

/// Templates for a caption, of every kind that is right.
pub(crate) fn captions() -> impl Strategy<Value = String> {
    (lines(5), lines(5), any::<bool>()).prop_map(|(one, other, is_first)| {
        let (first, second) = match is_first {
            true => ("<b>{status}</b>", "<i>№{number}</i> {title}"),
            false => ("[№{number}]", "{status}"),
        };
        format!("{one}\n{first}\n\n{other}\n{second}")
    })
}

/// What somebody might write.
pub(crate) fn anything(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            any::<char>(),
            prop::sample::select(vec![
                '<', '>', '&', '"', '{', '}', '[', ']', '\n', ' ', '😀'
            ])
        ],
        0..most,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

/// A value for each placeholder: nothing, short, or much too long.
fn values() -> impl Strategy<Value = Vec<String>> {
    let value = (anything(24), prop::sample::select(vec![0, 1, 1, 80]));
    prop::collection::vec(
        value.prop_map(|(text, times)| text.repeat(times)),
        Placeholder::ALL.len(),
    )
}

/// The caption with these values, number 47.
fn filled(template: &Template, values: &[String]) -> String {
    template.filled(|placeholder| match placeholder {
        Placeholder::Number => "47".to_owned(),
        other => values[other as usize].clone(),
    })
}

proptest! {
    #[test]
    fn a_template_that_is_right_is_well_formed_and_fits_whatever_it_is_filled_with(
        source in captions(), values in values(),
    ) {
        let template = match Text::Caption.parse(&source) {
            Ok(template) => template,
            Err(flaw) => {
                prop_assert!(flaw.reason.contains("it may come to"), "{source}: {flaw:?}");
                return Ok(());
            }
        };
        let html = filled(&template, &values);
        let text = seen(&html).map_err(|why| TestCaseError::fail(format!("{why}: {html}")))?;
        prop_assert!(units(&text) <= CAPTION_UNITS, "{} units", units(&text));
        prop_assert!(text.contains("№47"), "{text}");
    }

    #[test]
    fn any_text_is_refused_or_safe(
        pieces in prop::collection::vec(prop_oneof![
            Just("{status}"), Just("{number}"), Just("{title}"), Just("{"), Just("}"), Just("["), Just("]"), Just("<b>"),
            Just("</b>"), Just("<"), Just(">"), Just("&"), Just("&lt;"), Just("\n"), Just("\""), Just("<a href=\""),
            Just("<a href=\"{link}\">"), Just("</a>"), Just("x"), Just("/"), Just(" "),
        ], 0..12),
        values in values(),
    ) {
        for source in [pieces.concat(), format!("{{number}}{{status}}\n{}", pieces.concat())] {
            for text in Text::ALL {
                if let Ok(template) = text.parse(&source) {
                    let filled = filled(&template, &values);
                    prop_assert!(units(&filled) < 50_000);
                    if matches!(text, Text::Caption | Text::Reminder) {
                        prop_assert!(seen(&filled).is_ok(), "{source}: {filled}");
                    }
                }
            }
        }
    }
}

const ALL: Rules = Rules {
    form: Form::Html,
    placeholders: &Placeholder::ALL,
    required: &[],
    most: 1024,
};

/// The text with a title, a name and nothing else.
fn with_title(source: &str) -> String {
    let template = Template::parse(source, &ALL).unwrap();
    template.filled(|placeholder| match placeholder {
        Placeholder::Title => "Tee & <co>".to_owned(),
        _ => String::new(),
    })
}

#[test]
fn a_line_without_anything_to_show_vanishes_and_the_empty_lines_before_it() {
    for (source, text) in [
        (
            "{title}\n{tags}\n\n{caption}\n{needs}\n\nend",
            "Tee &amp; &lt;co&gt;\n\nend",
        ),
        ("{tags}\n\n{title}", "Tee &amp; &lt;co&gt;"),
        ("a\n\n\n{title}\n", "a\n\n\nTee &amp; &lt;co&gt;"),
        ("<b>🔗 {link}{tags}</b>\nend", "end"),
        ("<a href=\"{link}\">shop</a>\nend", "end"),
        ("{tags}\n{link}", ""),
    ] {
        assert_eq!(with_title(source), text, "{source}");
    }
}

#[test]
fn brackets_vanish_alike_and_doubled_signs_are_seen() {
    for (source, text) in [
        ("a[ by {name}][: {title}]", "a: Tee &amp; &lt;co&gt;"),
        ("[{title} by {name}]", "Tee &amp; &lt;co&gt; by "),
        ("[[{{x}}]] > [{name}]", ""),
        ("[[{{x}}]] > [{title}]", "[{x}] &gt; Tee &amp; &lt;co&gt;"),
        (
            "<a href=\"https://a.b/?c&d&amp;e\">x</a>",
            "<a href=\"https://a.b/?c&amp;d&amp;e\">x</a>",
        ),
    ] {
        assert_eq!(with_title(source), text, "{source}");
    }
}

#[test]
fn what_gives_way_first_is_the_caption_and_half_an_address_is_none() {
    let template =
        Template::parse("{caption}\n{link}\n<a href=\"{link}\">x{number}</a>", &ALL).unwrap();
    let text = template.filled(|placeholder| match placeholder {
        Placeholder::Number => "1".to_owned(),
        Placeholder::Link => format!("https://{}", "x".repeat(992)),
        _ => "c".repeat(2000),
    });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(units(lines[0]), 1024 - 330 - 4);
    assert!(lines[0].ends_with("c…") && lines[1].ends_with("x…"));
    assert_eq!(lines[2], "<a href=\"\">x1</a>");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let long = "x".repeat(440);
    let long_caption = format!("{{status}}{{title}}{{number}}{{category}}{{due}}{long}");
    let caption = |line: &str| format!("{{status}} #{{number}}\n{line}");
    let in_caption = [
        ("{titel}", "line 2: there is no placeholder `{titel}` here"),
        ("{name}", "line 2: there is no placeholder `{name}` here"),
        ("{title", "line 2: there is a `{` without its `}`"),
        ("{ {title}", "line 2: there is a `{` without its `}`"),
        ("title}", "line 2: there is a `}` without its `{`"),
        ("[{title}", "line 2: there is a `[` without its `]`"),
        ("[a [{title}]]", "line 2: there is a `[` within brackets"),
        ("{title}]", "line 2: there is a `]` without its `[`"),
        (
            "[title]",
            "line 2: there are brackets without a placeholder in them",
        ),
        ("1 < 2", "line 2: there is a `<` that begins no tag"),
        (
            "<h1>{title}</h1>",
            "line 2: `<h1>` is no tag that Telegram shows",
        ),
        (
            "<b class=\"x\">{title}</b>",
            "line 2: `<b class=\"x\">` is no tag that Telegram shows",
        ),
        (
            "<span>{title}</span>",
            "line 2: `<span>` is no tag that Telegram shows",
        ),
        ("<br/>", "line 2: `<br/>` is no tag that Telegram shows"),
        ("<b>{title}", "line 2: `<b>` is not closed"),
        ("<b>{title}\n</b>", "line 2: `<b>` is not closed"),
        ("{title}</b>", "line 2: `</b>` closes nothing"),
        (
            "<b><i>{title}</b></i>",
            "line 2: `</b>` stands where `</i>` is due",
        ),
        ("<b>[{title}</b>]", "line 2: `</b>` closes nothing"),
        ("<b>[{title}</b>", "line 2: `</b>` closes nothing"),
        ("[<b>{title}]</b>", "line 2: `<b>` is not closed"),
        (
            "<a href=\"{title}\">x</a>",
            "line 2: `{title}` is no address",
        ),
        (
            "<a href=\"javascript:x\">x</a>",
            "line 2: `javascript:x` is no address",
        ),
        (
            "<a href=\"https://a.b/{link}\">x</a>",
            "line 2: `https://a.b/{link}` is no address",
        ),
        (
            "<a>{title}</a>",
            "line 2: `<a>` is no tag that Telegram shows",
        ),
        ("this & that", "line 2: there is an `&` by itself"),
        ("&nbsp;", "line 2: there is an `&` by itself"),
    ];
    let cases = in_caption
        .into_iter()
        .map(|(line, reason)| (Text::Caption, caption(line), reason))
        .chain([
            (Text::Caption, "{status}".into(), "`{number}` is missing"),
            (Text::Caption, "{number}".into(), "`{status}` is missing"),
            (Text::Caption, String::new(), "`{status}` is missing"),
            (
                Text::Caption,
                long_caption,
                "with its placeholders it may come to 1025 characters, and 1024 are shown",
            ),
            (
                Text::Caption,
                "{number}{status}{status}{status}{status}".into(),
                "with its placeholders it may come to 1220 characters, and 1024 are shown",
            ),
            (Text::Reminder, "wake up".into(), "`{number}` is missing"),
            (
                Text::Reminder,
                "{number} {link}".into(),
                "there is no placeholder `{link}` here",
            ),
            (
                Text::Ended,
                "{title}".into(),
                "there is no placeholder `{title}` here",
            ),
            (
                Text::Ended,
                "<b>{outcome}</b>".into(),
                "`<b>` would be seen as it is: this text has no tags",
            ),
            (
                Text::Posted,
                "x".repeat(41),
                "it has 41 characters and may have 40",
            ),
            (Text::ButtonSkip, String::new(), "a button needs a label"),
            (
                Text::ButtonSkip,
                "\u{200b}\u{2800}".into(),
                "a button needs a label",
            ),
            (
                Text::ButtonSkip,
                "a\nb".into(),
                "the label of a button has one line",
            ),
            (
                Text::ButtonSkip,
                "😀".repeat(21),
                "it has 42 characters and may have 40",
            ),
        ]);
    for (text, source, reason) in cases {
        let flaw = text.parse(&source).expect_err(&source);
        assert_eq!(flaw.reason, reason, "{source}");
        assert!(!flaw.remedy.is_empty());
    }
}

#[test]
fn a_text_without_tags_may_hold_their_signs() {
    let template = Text::Undone.parse("{name} <3 & >").unwrap();
    assert_eq!(template.filled(|_| "<b>".to_owned()), "<b> <3 & >");
    assert_eq!(Text::Needs.parse(" ").unwrap().plain(), "");
}
