//! Functions of one name without a written key.

use std::collections::HashMap;

use crate::site::ReadInfo;
use crate::site::identity;
use crate::site::registry::Registered;
use crate::sync::LazyLock;

/// Source position of a function: its attribute (in a macro, the outermost call) and its name.
type AttributePosition = (&'static str, u32, u32, (u32, u32));

fn attribute_position(site: &ReadInfo) -> AttributePosition {
    let at = site.at;
    (at.file(), at.line(), at.column(), site.name_at)
}

/// Return the source position of a function without a written key if another such function has the
/// same name. `declared` is its declared name.
///
/// Other keys leave the position out, since it changes whenever a line is added above it.
pub(crate) fn position_among_namesakes(site: &ReadInfo, declared: &str) -> Option<String> {
    static NAMESAKES: LazyLock<HashMap<String, Vec<AttributePosition>>> = LazyLock::new(|| {
        let mut namesakes = HashMap::<String, Vec<AttributePosition>>::new();
        for site in inventory::iter::<Registered> {
            if let Registered::Read(site) = site
                && site.info.template.is_empty()
            {
                let of_name = namesakes.entry(identity::declared(&site.info)).or_default();
                let here = attribute_position(&site.info);
                if !of_name.contains(&here) {
                    of_name.push(here);
                }
            }
        }
        namesakes.retain(|_, of_name| of_name.len() > 1);
        namesakes
    });
    NAMESAKES.get(declared)?;
    let (file, line, column, (name_line, name_column)) = attribute_position(site);
    Some(format!("{file}:{line}:{column}:{name_line}:{name_column}"))
}
