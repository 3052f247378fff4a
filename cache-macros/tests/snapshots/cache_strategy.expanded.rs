#[automatically_derived]
impl ::cache_runtime::__private::CacheStrategy for ConversationMessages {
    type Value = Vec<Message>;
    fn path(&self) -> ::std::string::String {
        let Self { id } = self;
        ::cache_runtime::__private::key_text(
            "chat:v1:conversation:<<id>>:messages",
            "chat:v1:conversation:\u{1}:messages",
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(id))
                        .__part(w, "chat:v1:conversation:", "id");
                    w.text(":messages");
                },
            ),
        )
    }
    fn time_to_live(&self) -> ::core::option::Option<::core::time::Duration> {
        ::core::option::Option::Some(::core::time::Duration::from_millis(1800000u64))
    }
}
const _: () = {
    enum Marker {}
    static SITE: ::cache_runtime::__private::ReadSite = ::cache_runtime::__private::ReadSite::new(
            "ConversationMessages",
            ::core::module_path!(),
            "chat:v1:conversation:<<id>>:messages",
            "chat:v1:conversation:\u{1}:messages",
            ::core::any::type_name::<Marker>,
        )
        .ttl(1800000u64);
    ::cache_runtime::__private::submit!(
        ::cache_runtime::__private::Registered::Read(& SITE)
    );
};
