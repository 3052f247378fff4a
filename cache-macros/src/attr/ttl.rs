//! The `ttl` option: a number of seconds, a string such as `"10m"`, a preset, an expression or a
//! closure.

use syn::{Error, Expr, ExprCall, ExprLit, ExprUnary, Lit, LitStr, UnOp};

use crate::diagnostics::errors::Errors;
use crate::template::{Scope, Segment, Template};

/// The TTL of an entry.
pub(crate) enum Ttl {
    /// The cache's default.
    Default,
    /// Milliseconds, known at compile time.
    Fixed(u64),
    /// A named TTL from the configuration, or the member of a family.
    Preset(LitStr, Option<Member>),
    /// An expression over the arguments.
    Computed(Expr),
    /// A closure over the value.
    OfValue(Expr),
}

/// The member of `preset("reports:<<kind>>")`, or of `preset("reports:analytics")`.
pub(crate) struct Member {
    pub(crate) family: String,
    pub(crate) expr: Expr,
}

const EXAMPLES: &str = "write seconds (`ttl = 600`), a string (`ttl = \"10m\"`, `\"1h30m\"`, \
    `\"500ms\"`), `preset(\"name\")`, a `Duration`, or a closure over the value";

/// 1000 years, in milliseconds. Clocks and servers add a TTL to the current time, and the sum must
/// not overflow.
const LONGEST: u64 = 1000 * 365 * 86_400_000;

const ZERO: &str = "a `ttl` of zero stores nothing: give a positive time, or remove the attribute; \
    to skip the cache for some calls only, use `condition` or `unless`";

/// Read the value of `ttl`. `scope`: where the names in the placeholder of a preset resolve.
pub(crate) fn read(expr: Expr, scope: &Scope<'_>) -> syn::Result<Ttl> {
    match expr {
        Expr::Group(group) => read(*group.expr, scope),
        Expr::Lit(ExprLit { lit, .. }) => literal(&lit).map(Ttl::Fixed),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr: ref inner,
            ..
        }) if matches!(**inner, Expr::Lit(_)) => Err(Error::new_spanned(
            expr,
            format!("a `ttl` can't be negative: {EXAMPLES}"),
        )),
        Expr::Closure(_) => Ok(Ttl::OfValue(expr)),
        Expr::Call(call) if is_preset(&call) => preset(&call, scope),
        other => Ok(Ttl::Computed(other)),
    }
}

/// Read the value of `err_ttl`, the TTL of a cached error.
pub(crate) fn of_error(expr: Expr) -> syn::Result<Ttl> {
    let fix = "write seconds (`err_ttl = 30`), a string (`err_ttl = \"30s\"`), `preset(\"name\")` or \
        a `Duration`";
    match expr {
        Expr::Group(group) => of_error(*group.expr),
        Expr::Lit(ExprLit { lit, .. }) => match millis("err_ttl", &lit) {
            Ok(0) => Err(format!("an `err_ttl` of zero stores nothing: {fix}")),
            Ok(millis) => Ok(Ttl::Fixed(millis)),
            Err(reason) => Err(format!("{reason}: {fix}")),
        }
        .map_err(|message| Error::new(lit.span(), message)),
        Expr::Closure(_) => Err(Error::new_spanned(
            expr,
            format!("`err_ttl` isn't a closure, since all cached errors have one TTL: {fix}"),
        )),
        other => match read(other, &|_| None)? {
            Ttl::Preset(name, Some(_)) => Err(Error::new(
                name.span(),
                format!("`err_ttl` takes the name of one preset, not of a family's member: {fix}"),
            )),
            ttl => Ok(ttl),
        },
    }
}

fn literal(lit: &Lit) -> syn::Result<u64> {
    let mistake = match millis("ttl", lit) {
        Ok(0) => ZERO.to_owned(),
        Ok(millis) => return Ok(millis),
        Err(reason) => format!("{reason}: {EXAMPLES}"),
    };
    Err(Error::new(lit.span(), mistake))
}

/// Read seconds or a string as milliseconds, at most `LONGEST`.
pub(crate) fn millis(name: &str, lit: &Lit) -> Result<u64, String> {
    let too_long = || format!("this `{name}` is longer than the limit of 1000 years");
    let millis = match lit {
        Lit::Int(seconds) => seconds
            .base10_parse::<u64>()
            .ok()
            .and_then(|seconds| seconds.checked_mul(1000))
            .ok_or_else(too_long)?,
        Lit::Str(text) => parse(&text.value())?,
        _ => return Err("this is not a duration".to_owned()),
    };
    if millis > LONGEST {
        return Err(too_long());
    }
    Ok(millis)
}

/// Parse "1h30m" as milliseconds.
fn parse(text: &str) -> Result<u64, String> {
    let unreadable = || match in_words(text) {
        Some(meant) => format!("`{text}` is not a duration, but `{meant}` is"),
        None => format!("`{text}` is not a duration (units: ms, s, m, h, d)"),
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(unreadable());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = rest[..digits].parse().map_err(|_| unreadable())?;
        rest = &rest[digits..];
        let letters = rest.len() - rest.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let scale = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" if rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(format!("`{text}` has no unit (ms, s, m, h or d)"));
            }
            _ => return Err(unreadable()),
        };
        rest = rest[letters..].trim_start();
        let part = number.checked_mul(scale).ok_or_else(unreadable)?;
        total = total.checked_add(part).ok_or_else(unreadable)?;
    }
    Ok(total)
}

/// Suggest "10m" for "10 minutes": replace each unit's name by its abbreviation.
fn in_words(text: &str) -> Option<String> {
    let mut meant = String::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let (word, after) = after.split_at(letters);
        let unit = match word.to_lowercase().as_str() {
            "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
            "s" | "sec" | "secs" | "second" | "seconds" => "s",
            "m" | "min" | "mins" | "minute" | "minutes" => "m",
            "h" | "hr" | "hrs" | "hour" | "hours" => "h",
            "d" | "day" | "days" => "d",
            _ => return None,
        };
        if number.is_empty() {
            return None;
        }
        meant.push_str(number);
        meant.push_str(unit);
        rest = after.trim_start_matches([' ', ',']);
    }
    (!meant.is_empty()).then_some(meant)
}

fn is_preset(call: &ExprCall) -> bool {
    matches!(&*call.func, Expr::Path(path) if path.path.is_ident("preset"))
}

/// Strip the invisible groups that `macro_rules!` puts around its fragments.
pub(crate) fn ungrouped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

fn preset(call: &ExprCall, scope: &Scope<'_>) -> syn::Result<Ttl> {
    let message = "`preset` takes one name in quotes, made of letters, digits, `_` and `-`: write \
        `ttl = preset(\"user_profile\")`; or, of a family, `ttl = preset(\"reports:analytics\")`, \
        or `ttl = preset(\"reports:<<kind>>\")` if an argument selects it";
    let mut names = call.args.iter().map(ungrouped);
    if let (
        Some(Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        })),
        None,
    ) = (names.next(), names.next())
    {
        let mut errors = Errors::default();
        let template = Template::parse_in(scope, name, &mut errors);
        errors.into_result()?;
        return match template.segments.as_slice() {
            [Segment::Text(text)] if is_name(text) => Ok(Ttl::Preset(name.clone(), None)),
            [Segment::Text(text)] => match text.split_once(':') {
                Some((family, member)) if is_name(family) && is_name(member) => {
                    let member = LitStr::new(member, name.span());
                    let member = Member {
                        family: family.to_owned(),
                        expr: syn::parse_quote!(#member),
                    };
                    Ok(Ttl::Preset(name.clone(), Some(member)))
                }
                _ => Err(Error::new(name.span(), message)),
            },
            [Segment::Text(text), Segment::Placeholder(member)] if !member.per_item => {
                let family = text.strip_suffix(':').filter(|family| is_name(family));
                let family = family.ok_or_else(|| Error::new(name.span(), message))?;
                let member = Member {
                    family: family.to_owned(),
                    expr: member.expr.clone(),
                };
                Ok(Ttl::Preset(name.clone(), Some(member)))
            }
            _ => Err(Error::new(name.span(), message)),
        };
    }
    Err(Error::new_spanned(call, message))
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !text.is_empty() && text.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::{Ttl, parse, read};

    fn of(text: &str) -> Result<Ttl, String> {
        read(syn::parse_str(text).expect("an expression"), &|_| None)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn durations_are_parsed() {
        assert_eq!(parse("10m"), Ok(600_000));
        assert_eq!(parse("1h30m"), Ok(5_400_000));
        assert_eq!(parse("1h 30m"), Ok(5_400_000));
        assert_eq!(parse("500ms"), Ok(500));
        assert_eq!(parse("2d"), Ok(172_800_000));
        for broken in [
            "",
            " ",
            "10",
            "m",
            "10 m",
            "1h30",
            "10x",
            "-5s",
            "1.5h",
            "9999999999999d",
        ] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn each_form_of_ttl_is_recognized() {
        assert!(matches!(of("600"), Ok(Ttl::Fixed(600_000))));
        assert!(matches!(of("600u64"), Ok(Ttl::Fixed(600_000))));
        assert!(matches!(of("\"10m\""), Ok(Ttl::Fixed(600_000))));
        assert!(matches!(of("preset(\"user\")"), Ok(Ttl::Preset(_, None))));
        let family = of("preset(\"reports:<<kind>>\")");
        assert!(matches!(family, Ok(Ttl::Preset(_, Some(member))) if member.family == "reports"));
        let member = of("preset(\"reports:analytics\")");
        assert!(matches!(member, Ok(Ttl::Preset(_, Some(member))) if member.family == "reports"));
        assert!(matches!(of("ttl::SHORT"), Ok(Ttl::Computed(_))));
        assert!(matches!(of("|post: &Post| post.ttl"), Ok(Ttl::OfValue(_))));
    }

    #[test]
    fn the_error_of_an_invalid_ttl_names_the_fix() {
        for (text, part) in [
            ("0", "zero"),
            ("\"0s\"", "zero"),
            ("-5", "negative"),
            ("\"soon\"", "not a duration"),
            ("1.5", "not a duration"),
            ("\"10 minutes\"", "but `10m` is"),
            ("\"1 hour, 30 min\"", "but `1h30m` is"),
            ("\"10 M\"", "but `10m` is"),
            ("18446744073709551615", "1000 years"),
            ("31536000001", "1000 years"),
            ("preset(name)", "in quotes"),
            ("preset(\"\")", "in quotes"),
            ("preset(\"reports<<kind>>\")", "reports:<<kind>>"),
            ("preset(\":<<kind>>\")", "reports:<<kind>>"),
            ("preset(\"a:<<kind>>:b\")", "reports:<<kind>>"),
            ("preset(\"a:<<kinds..>>\")", "reports:<<kind>>"),
            ("preset(\"a:<<kind\")", "unclosed"),
            ("preset(\"a:b:c\")", "reports:analytics"),
            ("preset(\"a:\")", "reports:analytics"),
        ] {
            let message = of(text).err().unwrap_or_else(|| panic!("{text} was read"));
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
