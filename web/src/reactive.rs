//! Memos, effects and parts of a view of few types.
//!
//! Leptos compiles its code anew for every closure that it is given. Behind a box all closures of one result are
//! of one type, and share it.

use leptos::prelude::*;

/// A memo of a function that does not look at the value before.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(
    value: impl Fn() -> T + Send + Sync + 'static,
) -> Memo<T> {
    boxed_memo(Box::new(value))
}

fn boxed_memo<T: PartialEq + Send + Sync + 'static>(
    value: Box<dyn Fn() -> T + Send + Sync>,
) -> Memo<T> {
    Memo::new(move |_| value())
}

/// Runs whenever something that it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    boxed_effect(Box::new(run));
}

fn boxed_effect(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_| run());
}

/// A part of a view that is made anew whenever something that it read has changed.
pub(crate) fn dynamic<V: IntoAny>(
    mut view: impl FnMut() -> V + Send + 'static,
) -> Box<dyn FnMut() -> AnyView + Send> {
    Box::new(move || view().into_any())
}

/// An attribute's value, a class's or a property's that follows what it read.
pub(crate) fn live<T: 'static>(
    value: impl FnMut() -> T + Send + 'static,
) -> Box<dyn FnMut() -> T + Send> {
    Box::new(value)
}
