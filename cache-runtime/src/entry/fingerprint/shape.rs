//! The shape of a type as a text, for people: codecs such as bincode store values without names.
//!
//! The text is the type, then each struct and enum that it names, a line each:
//!
//! ```text
//! [Post]
//! Post { id: u64, title: string, state: State }
//! State = Draft | Published(u64)
//! ```

use std::any::type_name;
use std::fmt::Write;

/// Most bytes of a text. The rest is cut off.
const MOST_BYTES: usize = 4_096;

/// The text while a type is traced. Each pass over the type writes it again, and keeps the
/// definitions of the passes before.
#[derive(Default)]
pub(super) struct ShapeText {
    /// The part that is being written.
    text: String,
    /// The parts around it.
    around: Vec<String>,
    definitions: Vec<Definition>,
}

/// A struct or an enum.
struct Definition {
    /// The Rust type: serde's names are those of several types, such as `Page<u32>` and `Page<u64>`.
    of: &'static str,
    /// The name in the text.
    name: String,
    body: Body,
}

enum Body {
    /// It contains what is being traced, or was refused.
    Unknown,
    Struct(String),
    /// The variants, each with its content, once it was visited.
    Enum(Vec<(&'static str, Option<String>)>),
}

impl ShapeText {
    /// Begin a pass.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.around.clear();
    }

    pub(super) fn push(&mut self, text: &str) {
        // A type that is wide at every level is cut here, before it fills the memory.
        if self.text.len() < MOST_BYTES {
            self.text.push_str(text);
        }
    }

    /// Begin a part of the text: an element, or the content of a struct.
    pub(super) fn begin_part(&mut self) {
        self.around.push(std::mem::take(&mut self.text));
    }

    /// End the part, and return its text.
    pub(super) fn end_part(&mut self) -> String {
        let around = self.around.pop().unwrap_or_default();
        std::mem::replace(&mut self.text, around)
    }

    /// Write the name of a struct or enum `T`.
    pub(super) fn name<T>(&mut self, name: &'static str) {
        let of = type_name::<T>();
        let known = self.definitions.iter().find(|known| known.of == of);
        let name = match known {
            Some(known) => known.name.clone(),
            None => {
                let alike = self.definitions.iter().filter(|known| {
                    let rest = known.name.strip_prefix(name);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
                });
                let name = match alike.count() {
                    0 => name.to_owned(),
                    others => format!("{name}#{}", others + 1),
                };
                self.definitions.push(Definition {
                    of,
                    name: name.clone(),
                    body: Body::Unknown,
                });
                name
            }
        };
        self.push(&name);
    }

    /// Define the struct `T`. The first definition stays: a type inside itself is cut short.
    pub(super) fn define<T>(&mut self, content: String) {
        if let Some(body @ Body::Unknown) = self.body::<T>() {
            *body = Body::Struct(content);
        }
    }

    /// Define one of the variants of the enum `T`.
    pub(super) fn define_variant<T>(
        &mut self,
        variants: &'static [&'static str],
        index: usize,
        content: String,
    ) {
        let Some(body) = self.body::<T>() else {
            return;
        };
        if matches!(body, Body::Unknown) {
            *body = Body::Enum(variants.iter().map(|name| (*name, None)).collect());
        }
        if let Body::Enum(variants) = body
            && let Some((_, known)) = variants.get_mut(index)
        {
            known.get_or_insert(content);
        }
    }

    fn body<T>(&mut self) -> Option<&mut Body> {
        let of = type_name::<T>();
        let known = self.definitions.iter_mut().find(|known| known.of == of);
        known.map(|known| &mut known.body)
    }

    /// Return the text after the last pass.
    pub(super) fn finish(self) -> String {
        let mut text = self.text;
        for (at, definition) in self.definitions.iter().enumerate() {
            // A type that is a struct begins with its own definition.
            if at == 0 && text == definition.name {
                text.clear();
            } else {
                text.push('\n');
            }
            definition.write(&mut text);
        }
        if text.len() > MOST_BYTES {
            let end = (0..=MOST_BYTES)
                .rev()
                .find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or_default());
            text.push_str(" ..");
        }
        text
    }
}

impl Definition {
    fn write(&self, text: &mut String) {
        text.push_str(&self.name);
        match &self.body {
            Body::Unknown => text.push_str(" .."),
            Body::Struct(content) => text.push_str(content),
            Body::Enum(variants) => {
                for (at, (name, content)) in variants.iter().enumerate() {
                    let (sign, content) = (if at == 0 { '=' } else { '|' }, content.as_deref());
                    // Writing to a text can't fail.
                    let _ = write!(text, " {sign} {name}{}", content.unwrap_or("(..)"));
                }
            }
        }
    }
}

/// Return the content of a tuple or an array.
pub(super) fn unnamed(parts: &[String]) -> String {
    if let [first, _, _, ..] = parts
        && parts.iter().all(|part| part == first)
    {
        return format!("[{first}; {}]", parts.len());
    }
    format!("({})", parts.join(", "))
}

/// Return the content of a struct. With aliases, serde has more names than fields, and doesn't say
/// which name is whose: then the names are left out.
pub(super) fn named(names: &[&str], parts: &[String]) -> String {
    if names.len() != parts.len() {
        return unnamed(parts);
    }
    if parts.is_empty() {
        return " {}".to_owned();
    }
    let fields = names.iter().zip(parts);
    let fields = fields.map(|(name, part)| format!("{name}: {part}"));
    format!(" {{ {} }}", fields.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::net::IpAddr;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use crate::entry::fingerprint;

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Post {
        id: u64,
        slug: Slug,
        title: Option<String>,
        state: State,
        tags: Vec<String>,
        scores: HashMap<String, (f64, bool)>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Slug(String);

    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum State {
        Draft,
        Published(u64),
        Archived { by: String, at: i64 },
        Moved(u8, char),
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Page<T> {
        items: Vec<T>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Comment {
        text: String,
        answers: Vec<Comment>,
        parent: Option<Box<Comment>>,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Tree {
        Leaf(u8),
        Node(Box<Tree>, Box<Tree>),
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Renamed {
        #[serde(rename = "name", alias = "label")]
        text: String,
        size: u8,
    }

    #[derive(Deserialize)]
    struct Unit;

    fn text<T: DeserializeOwned + 'static>() -> &'static str {
        &fingerprint::of::<T>().shape
    }

    #[test]
    fn a_struct_is_followed_by_the_types_that_it_names() {
        assert_eq!(
            text::<Post>(),
            "Post { id: u64, slug: Slug, title: Option<string>, state: State, tags: [string], \
             scores: map<string, (f64, bool)> }\n\
             Slug(string)\n\
             State = Draft | Published(u64) | Archived { by: string, at: i64 } | Moved(u8, char)"
        );
    }

    #[test]
    fn types_without_a_name_are_written_where_they_are() {
        assert_eq!(text::<u32>(), "u32");
        assert_eq!(text::<Option<Vec<i8>>>(), "Option<[i8]>");
        assert_eq!(text::<BTreeMap<u8, [f32; 16]>>(), "map<u8, [f32; 16]>");
        assert_eq!(text::<((), Unit)>(), "((), Unit)");
        assert_eq!(
            text::<Vec<Slug>>(),
            "[Slug]\n\
             Slug(string)"
        );
        assert_eq!(text::<IpAddr>(), "IpAddr = V4([u8; 4]) | V6([u8; 16])");
    }

    #[test]
    fn types_of_one_name_are_told_apart() {
        assert_eq!(
            text::<Page<Page<u8>>>(),
            "Page { items: [Page#2] }\n\
             Page#2 { items: [u8] }"
        );
    }

    #[test]
    fn a_type_that_contains_itself_is_written_once() {
        assert_eq!(
            text::<Comment>(),
            "Comment { text: string, answers: [Comment], parent: Option<Comment> }"
        );
        assert_eq!(text::<Tree>(), "Tree = Leaf(u8) | Node(Tree, Tree)");
    }

    #[test]
    fn fields_with_aliases_have_no_names() {
        assert_eq!(text::<Renamed>(), "Renamed(string, u8)");
    }

    #[test]
    fn a_long_text_is_cut() {
        type Two<T> = (T, u8, T);
        type Sixteen<T> = Two<Two<Two<Two<T>>>>;
        let text = text::<Sixteen<Sixteen<Sixteen<u16>>>>();
        assert!(text.ends_with(" .."), "{text}");
        assert!(text.len() <= super::MOST_BYTES + 3, "{}", text.len());
    }
}
