//! The values of a placeholder with `..`, `<<ids..>>`, found by method resolution as in [`part`].
//!
//! [`part`]: super::part

use std::ops::Deref;

/// First choice: a collection, which is read by reference.
#[derive(Debug)]
pub struct ItemsProbe<'a, T: ?Sized>(Pointer<'a, T>);

/// Second choice: a pointer to a collection, such as a slice, an `Arc<[T]>` or a `&Vec<T>`.
#[derive(Debug)]
pub struct Pointer<'a, T: ?Sized>(Repeated<'a, T>);

/// Third choice: an iterator, such as `posts.iter().map(|post| post.id)`, which is cloned.
#[derive(Debug)]
pub struct Repeated<'a, T: ?Sized>(Single<'a, T>);

/// Last choice: a value that yields nothing.
#[derive(Debug)]
pub struct Single<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> ItemsProbe<'a, T> {
    /// Capture the value of a placeholder for method resolution.
    pub fn of(value: &'a T) -> Self {
        Self(Pointer(Repeated(Single(value))))
    }
}

impl<'a, T: ?Sized> ItemsProbe<'a, T>
where
    &'a T: IntoIterator,
{
    /// Return the values.
    pub fn __items(&self) -> <&'a T as IntoIterator>::IntoIter {
        self.0.0.0.0.into_iter()
    }
}

impl<'a, T: Deref + ?Sized> Pointer<'a, T>
where
    &'a T::Target: IntoIterator,
{
    /// Return the values.
    pub fn __items(&self) -> <&'a T::Target as IntoIterator>::IntoIter {
        self.0.0.0.deref().into_iter()
    }
}

impl<T: Iterator + Clone> Repeated<'_, T> {
    /// Return the values.
    pub fn __items(&self) -> T {
        self.0.0.clone()
    }
}

impl<T: ?Sized> Single<'_, T> {
    /// Fail to compile.
    pub fn __items(&self) -> std::iter::Empty<&'static str>
    where
        T: Items,
    {
        std::iter::empty()
    }
}

impl<'a, T: ?Sized> Deref for ItemsProbe<'a, T> {
    type Target = Pointer<'a, T>;
    fn deref(&self) -> &Pointer<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Pointer<'a, T> {
    type Target = Repeated<'a, T>;
    fn deref(&self) -> &Repeated<'a, T> {
        &self.0
    }
}

impl<'a, T: ?Sized> Deref for Repeated<'a, T> {
    type Target = Single<'a, T>;
    fn deref(&self) -> &Single<'a, T> {
        &self.0
    }
}

/// Trait that no type implements, so that the compiler reports its message for the placeholder's
/// type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` yields no values for a placeholder with `..`",
    label = "this can't be iterated by reference",
    note = "`<<ids..>>` takes a slice, a `Vec`, an array, a set, an `Option`, or an iterator that can be cloned, such as `posts.iter().map(|post| post.id)`; for one value write `<<id>>`"
)]
pub trait Items {}
