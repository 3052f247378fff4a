#[automatically_derived]
impl my::cache::__private::CacheModel for Model {
    const MODEL: my::cache::__private::ModelInfo = my::cache::__private::ModelInfo {
        name: "Model",
        table: "app.posts",
        patterns: &[
            my::cache::__private::ModelPattern {
                written: "posts:<<slug>>",
                parts: &[
                    my::cache::__private::PatternPart::Text("posts:"),
                    my::cache::__private::PatternPart::Column {
                        name: "post_slug",
                        kind: <String as my::cache::__private::Column>::KIND,
                    },
                ],
            },
        ],
    };
    fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
        my::cache::__private::model_patterns(
            "Model",
            my::cache::__private::SeesByReference::rendered(
                &|w: &mut my::cache::__private::Writer<'_>| {
                    my::cache::__private::part::PartProbe::of(&(self.slug))
                        .__part(w, "posts:", "slug");
                    w.end();
                },
            ),
        )
    }
}
#[automatically_derived]
impl Model {
    ///Return the patterns of the cache entries that depend on this row, with its values escaped. See `CacheModel`.
    #[allow(dead_code)]
    #[must_use]
    fn cache_patterns(&self) -> ::std::vec::Vec<::std::string::String> {
        my::cache::__private::CacheModel::cache_patterns(self)
    }
}
const _: () = {
    static SITE: my::cache::__private::WriteSite = my::cache::__private::WriteSite::new(
        "Model",
        ::core::module_path!(),
        &["posts:<<slug>>"],
        &["posts:\u{1}"],
    );
    my::cache::__private::submit!(my::cache::__private::Registered::Model(& SITE));
};
