async fn add_message(
    db: &Db,
    id: i64,
    message: Message,
) -> Result<Conversation, DbError> {
    const _: () = ::core::assert!(
        ! ::cache_runtime::__private::reaches("conversation:\u{2}0:unread",
        "conversation:\u{2}0:messages"),
        "the pattern `conversation:<<id>>:unread` matches this function's own key `conversation:<<id>>:messages`, so the value would be removed instead of stored: narrow the pattern, or remove it; `#[write_through]` replaces this entry by itself"
    );
    const _: () = ::core::assert!(
        ! ::cache_runtime::__private::reaches("users:\u{2}1:*",
        "conversation:\u{2}0:messages"),
        "the pattern `users:<<result.author>>:*` matches this function's own key `conversation:<<id>>:messages`, so the value would be removed instead of stored: narrow the pattern, or remove it; `#[write_through]` replaces this entry by itself"
    );
    let (write0, shape0) = (
        ::cache_runtime::__private::plan(
            {
                static SITE: ::cache_runtime::__private::WriteSite = ::cache_runtime::__private::WriteSite::new(
                    "add_message",
                    ::core::module_path!(),
                    &["conversation:<<id>>:unread", "users:<<result.author>>:*"],
                    &["conversation:\u{1}:unread", "users:\u{1}:*"],
                );
                ::cache_runtime::__private::submit!(
                    ::cache_runtime::__private::Registered::Write(& SITE)
                );
                &SITE
            },
            ::cache_runtime::__private::Handle::Current,
            true,
            ::cache_runtime::__private::SeesByReference::rendered(
                &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(id))
                        .__part(w, "conversation:", "id");
                    w.text(":unread");
                    w.end();
                    w.text("users:");
                    w.result("0");
                    w.text(":*");
                    w.end();
                },
            ),
        ),
        ::cache_runtime::__private::shape::ShapeProbe::<
            Result<Conversation, DbError>,
        >::NEW
            .__shape()
            .__judged(),
    );
    let through = ::cache_runtime::__private::begin_write_through(
        ::cache_runtime::__private::write_through_site!(
            "add_message", "conversation:<<id>>:messages", "conversation:\u{1}:messages",
            .ttl(1800000)
        ),
        ::cache_runtime::__private::Handle::Current,
        ::cache_runtime::__private::SeesByReference::rendered(
            &|w: &mut ::cache_runtime::__private::Writer<'_>| {
                ::cache_runtime::__private::part::PartProbe::of(&(id))
                    .__part(w, "conversation:", "id");
                w.text(":messages");
            },
        ),
        ::cache_runtime::__private::none,
    );
    ::cache_runtime::__private::write_through_async(
            through,
            ::cache_runtime::__private::shape::ShapeProbe::<
                Result<Conversation, DbError>,
            >::NEW
                .__shape()
                .__fit(),
            ::cache_runtime::__private::ttl_unset,
            ::cache_runtime::__private::unless_unset,
            ::cache_runtime::__private::write_async::<
                Result<Conversation, DbError>,
                _,
                _,
                _,
            >(
                write0,
                shape0,
                |result, w: &mut ::cache_runtime::__private::Writer<'_>| {
                    ::cache_runtime::__private::part::PartProbe::of(&(result.author))
                        .__part(w, "", "0");
                },
                async move {
                    if false {
                        #[allow(unreachable_code)]
                        return ::cache_runtime::__private::never::<
                            Result<Conversation, DbError>,
                        >();
                    }
                    #[allow(unused_imports)]
                    use invalidate as _;
                    db.insert(id, message).await
                },
            ),
        )
        .await
}
