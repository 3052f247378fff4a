//! The wrappers of web frameworks, each behind the feature of its name.

use super::status::{Status, StoredStatus};
use super::wrapper::Wrapper;

/// Implement [`Wrapper`] for tuple structs with a public field.
macro_rules! wrappers {
    ($($feature:literal: $wrapper:ident, $path:path;)*) => {$(
        #[cfg(feature = $feature)]
        const _: () = {
            use $path as $wrapper;

            impl<T> Wrapper for $wrapper<T> {
                type Value = T;
                #[inline]
                fn into_value(self) -> T {
                    self.0
                }
                #[inline]
                fn from_value(value: T) -> Self {
                    Self(value)
                }
            }
        };
    )*};
}

wrappers! {
    "axum": Json, axum::Json;
    "axum": Html, axum::response::Html;
    "axum": Form, axum::Form;
    "actix-web": Json, actix_web::web::Json;
    "actix-web": Form, actix_web::web::Form;
    "poem": Json, poem::web::Json;
    "poem": Html, poem::web::Html;
    "rocket": Json, rocket::serde::json::Json;
    "rocket": RawHtml, rocket::response::content::RawHtml;
    "rocket": RawJson, rocket::response::content::RawJson;
}

/// Implement [`Wrapper`] for a response with its status.
macro_rules! with_status {
    ($($feature:meta: $status:ty, $number:expr, $of:expr, |$one:ident, $other:ident| $returned:tt $typed:ty;)*) => {$(
        #[cfg($feature)]
        impl Status for $status {
            fn number(self) -> u16 {
                $number(self)
            }
            fn of(number: u16) -> Option<Self> {
                $of(number)
            }
        }

        #[cfg($feature)]
        impl<W: Wrapper> Wrapper for $typed {
            type Value = (StoredStatus<$status>, W::Value);
            fn into_value(self) -> Self::Value {
                let $returned = self;
                (StoredStatus($one), $other.into_value())
            }
            fn from_value((StoredStatus($one), value): Self::Value) -> Self {
                let $other = W::from_value(value);
                $returned
            }
        }
    )*};
}

with_status! {
    any(feature = "axum", feature = "poem"):
        http::StatusCode, |status: Self| status.as_u16(), |number| Self::from_u16(number).ok(),
        |status, response| (status, response) (http::StatusCode, W);
    feature = "actix-web":
        actix_web::http::StatusCode,
        |status: Self| status.as_u16(), |number| Self::from_u16(number).ok(),
        |status, response| (response, status) (W, actix_web::http::StatusCode);
    feature = "rocket":
        rocket::http::Status,
        |status: Self| status.code,
        |number| (100..600).contains(&number).then(|| Self::new(number)),
        |status, response| (status, response) (rocket::http::Status, W);
}
