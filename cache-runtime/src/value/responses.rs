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

#[cfg(test)]
mod tests {
    use super::super::status::StoredStatus;
    use super::super::wrapper::Wrapper;

    /// Check that a wrapper gives its value away and takes it back.
    #[track_caller]
    fn holds<W: Wrapper<Value: PartialEq + std::fmt::Debug>>(value: impl Fn() -> W::Value) {
        let wrapper = W::from_value(value());
        assert_eq!(W::from_value(wrapper.into_value()).into_value(), value());
    }

    /// Check that a status is stored as its number, and that other numbers are refused.
    #[track_caller]
    fn is_stored<S: super::Status + PartialEq + std::fmt::Debug>(status: S) {
        let stored = rmp_serde::to_vec(&StoredStatus(status)).expect("a number");
        assert_eq!(
            stored,
            rmp_serde::to_vec(&status.number()).expect("a number")
        );
        let read = rmp_serde::from_slice::<StoredStatus<S>>(&stored);
        assert_eq!(*read.expect("a status"), status);
        for number in [0_u16, 7, 99, 1000, u16::MAX] {
            let stored = rmp_serde::to_vec(&number).expect("a number");
            let read = rmp_serde::from_slice::<StoredStatus<S>>(&stored);
            let error = read.expect_err("not a status").to_string();
            assert!(error.contains("isn't an HTTP status"), "{error}");
        }
    }

    #[cfg(feature = "axum")]
    #[test]
    fn axum() {
        use axum::http::StatusCode;
        use axum::response::Html;
        use axum::{Form, Json};

        holds::<Json<u8>>(|| 1);
        holds::<Html<u8>>(|| 1);
        holds::<Form<u8>>(|| 1);
        holds::<(StatusCode, Json<u8>)>(|| (StoredStatus(StatusCode::CREATED), 1));
        is_stored(StatusCode::CREATED);
    }

    #[cfg(feature = "actix-web")]
    #[test]
    fn actix_web() {
        use actix_web::http::StatusCode;
        use actix_web::web::{Form, Json};

        holds::<Json<u8>>(|| 1);
        holds::<Form<u8>>(|| 1);
        holds::<(Json<u8>, StatusCode)>(|| (StoredStatus(StatusCode::CREATED), 1));
        is_stored(StatusCode::CREATED);
    }

    #[cfg(feature = "poem")]
    #[test]
    fn poem() {
        use poem::http::StatusCode;
        use poem::web::{Html, Json};

        holds::<Json<u8>>(|| 1);
        holds::<Html<u8>>(|| 1);
        holds::<(StatusCode, Json<u8>)>(|| (StoredStatus(StatusCode::CREATED), 1));
        is_stored(StatusCode::CREATED);
    }

    #[cfg(feature = "rocket")]
    #[test]
    fn rocket() {
        use rocket::http::Status;
        use rocket::response::content::{RawHtml, RawJson};
        use rocket::serde::json::Json;

        holds::<Json<u8>>(|| 1);
        holds::<RawHtml<u8>>(|| 1);
        holds::<RawJson<u8>>(|| 1);
        holds::<(Status, Json<u8>)>(|| (StoredStatus(Status::Created), 1));
        is_stored(Status::Created);
    }
}
