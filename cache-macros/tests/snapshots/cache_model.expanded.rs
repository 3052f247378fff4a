#[automatically_derived]
impl<'a, T: Display> ::cache_runtime::__private::CacheModel for Post<'a, T>
where
    T: ::cache_runtime::__private::Column,
{
    const MODEL: ::cache_runtime::__private::ModelInfo = ::cache_runtime::__private::ModelInfo {
        name: "Post",
        table: "app.posts",
        patterns: &[
            ::cache_runtime::__private::ModelPattern {
                written: "posts:<<slug>>:*",
                parts: &[
                    ::cache_runtime::__private::PatternPart::Text("posts:"),
                    ::cache_runtime::__private::PatternPart::Column {
                        name: "post_slug",
                        kind: <&'a str as ::cache_runtime::__private::Column>::KIND,
                    },
                    ::cache_runtime::__private::PatternPart::Text(":*"),
                ],
            },
            ::cache_runtime::__private::ModelPattern {
                written: "posts:list:*",
                parts: &[::cache_runtime::__private::PatternPart::Text("posts:list:*")],
            },
            ::cache_runtime::__private::ModelPattern {
                written: "{{author_id}}-<<kind>>",
                parts: &[
                    ::cache_runtime::__private::PatternPart::Column {
                        name: "author_id",
                        kind: <Option<i64> as ::cache_runtime::__private::Column>::KIND,
                    },
                    ::cache_runtime::__private::PatternPart::Text("-"),
                    ::cache_runtime::__private::PatternPart::Column {
                        name: "type",
                        kind: <T as ::cache_runtime::__private::Column>::KIND,
                    },
                ],
            },
        ],
    };
    fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
        ::cache_runtime::__private::model_patterns(
            "Post",
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(self.slug))
                        .__part(w, "posts:", "slug");
                    w.text(":*");
                    w.end();
                    w.text("posts:list:*");
                    w.end();
                    ::cache_runtime::__private::part::PartProbe::of(&(self.author_id))
                        .__part(w, "", "author_id");
                    ::cache_runtime::__private::part::PartProbe::of(&(self.kind))
                        .__part(w, "-", "kind");
                    w.end();
                },
            ),
        )
    }
}
#[automatically_derived]
impl<'a, T: Display> Post<'a, T>
where
    T: ::cache_runtime::__private::Column,
{
    ///Return the patterns of the cache entries that depend on this row, with its values escaped. See `CacheModel`.
    #[allow(dead_code)]
    #[must_use]
    pub(crate) fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
        ::cache_runtime::__private::CacheModel::cache_patterns(self)
    }
}
const _: () = {
    static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
        "Post",
        ::core::module_path!(),
        &["posts:<<slug>>:*", "posts:list:*", "{{author_id}}-<<kind>>"],
        &["posts:\u{1}:*", "posts:list:*", "\u{1}-\u{1}"],
    );
    ::cache_runtime::__private::submit!(
        ::cache_runtime::__private::Registered::Model(& SITE)
    );
};
