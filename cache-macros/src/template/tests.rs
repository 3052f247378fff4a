use super::{Segment, Template};
use crate::diagnostics::errors::Errors;
use proc_macro2::Span;
use syn::LitStr;

fn parse(text: &str) -> (Vec<String>, String) {
    let mut errors = Errors::default();
    let template = Template::parse(&LitStr::new(text, Span::call_site()), &mut errors);
    let show = |segment: &Segment| match segment {
        Segment::Text(text) => text.clone(),
        Segment::Placeholder(placeholder) => format!("<{}>", placeholder.source),
    };
    let errors = errors.into_tokens().map(|tokens| tokens.to_string());
    (
        template.segments.iter().map(show).collect(),
        errors.unwrap_or_default(),
    )
}

fn segments(text: &str) -> Vec<String> {
    let (segments, errors) = parse(text);
    assert_eq!(errors, "", "{text}");
    segments
}

#[track_caller]
fn fails(text: &str, part: &str) {
    let (_, errors) = parse(text);
    assert!(errors.contains(part), "{text}: {errors:?}");
}

#[test]
fn text_and_placeholders_are_separated() {
    assert_eq!(segments("posts"), ["posts"]);
    assert_eq!(segments("posts:<<slug>>"), ["posts:", "<slug>"]);
    assert_eq!(segments("posts:{{ slug }}:x"), ["posts:", "<slug>", ":x"]);
    assert_eq!(segments("<<a>><<b>>"), ["<a>", "<b>"]);
    assert_eq!(
        segments("{<<user.id>>}:posts"),
        ["{", "<user.id>", "}:posts"]
    );
    assert_eq!(segments("tag:{posts}"), ["tag:{posts}"]);
    assert_eq!(segments("<<page.unwrap_or(1)>>"), ["<page.unwrap_or(1)>"]);
}

#[test]
fn a_placeholder_ends_at_the_first_mark_after_a_complete_expression() {
    let generic = "xs.iter().collect::<Vec<Vec<u8>>>().len()";
    assert_eq!(
        segments(&format!("<<{generic}>>")),
        [format!("<{generic}>")]
    );
    assert_eq!(segments("<<x as Vec<u8>>>:y"), ["<x as Vec<u8>>", ":y"]);
    assert_eq!(segments("<<(a >> 2)>>"), ["<(a >> 2)>"]);
    assert_eq!(segments("<<a << 2>>"), ["<a << 2>"]);
    assert_eq!(segments("<<f(\">>\")>>"), ["<f(\">>\")>"]);
    assert_eq!(segments("{{m(|x| {{x}})}}"), ["<m(|x| {{x}})>"]);
    fails("<<a >> 2>>", "no matching `<<`");
}

#[test]
fn two_dots_mean_one_pattern_for_each_item() {
    let per_item = |text: &str| {
        let literal = LitStr::new(text, Span::call_site());
        let template = Template::parse(&literal, &mut Errors::default());
        let placeholders = template.placeholders();
        placeholders.map(|one| one.per_item).collect::<Vec<_>>()
    };
    assert_eq!(segments("a:<<ids..>>:*"), ["a:", "<ids..>", ":*"]);
    assert_eq!(
        per_item("<<a>>:<<ids..>>:{{result.ids ..}}"),
        [false, true, true]
    );
    assert_eq!(per_item("<<(1..)>>:<<f(1..)>>"), [false, false]);
    fails("<<..>>", "needs an expression before it");
}

#[test]
fn the_error_of_an_invalid_template_names_the_mistake() {
    fails("posts:<<slug", "unclosed `<<`");
    fails("posts:{{slug", "unclosed `{{`");
    fails("posts:slug>>", "no matching `<<`");
    fails("posts:<<>>", "placeholder is empty");
    fails("posts:{{ }}", "placeholder is empty");
    fails("posts:<<a b>>", "isn't a Rust expression");
    fails("posts:<<f(a>>", "is unclosed");
    fails("posts:<<a:<<b>>", "is a `>>` missing?");
    fails("{{{slug}}}", "is ambiguous");
}

#[test]
fn parsing_continues_after_a_mistake() {
    let (segments, errors) = parse("a:<<>>:<<b c>>:<<d>>");
    assert_eq!(segments, ["a:", ":", ":", "<d>"]);
    assert!(errors.contains("placeholder is empty") && errors.contains("<<b c>>"));
}

#[test]
fn the_shape_of_a_template_marks_its_placeholders() {
    let mut errors = Errors::default();
    let literal = LitStr::new("posts:<<slug>>:{{page}}", Span::call_site());
    let template = Template::parse(&literal, &mut errors);
    assert_eq!(template.shape(), "posts:\u{1}:\u{1}");
}

#[test]
fn placeholders_without_a_colon_between_them_are_detected() {
    let is_separated = |text: &str| {
        let literal = LitStr::new(text, Span::call_site());
        Template::parse(&literal, &mut Errors::default()).is_separated()
    };
    for separated in [
        "",
        "a",
        "<<a>>",
        "a-<<a>>-b",
        "<<a>>:<<b>>",
        "<<a>>-b:<<b>>:<<c>>",
    ] {
        assert!(is_separated(separated), "{separated}");
    }
    for together in [
        "<<a>><<b>>",
        "<<a>>-<<b>>",
        "<<a>>:<<b>>-<<c>>",
        ":<<a>>{<<b>>:",
    ] {
        assert!(!is_separated(together), "{together}");
    }
}
