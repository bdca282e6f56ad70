//! Memos, effects and parts of a view of few types.
//!
//! Leptos compiles its code anew for every closure that it is given. Behind a box all closures of one result are
//! of one type, and share it.

use leptos::prelude::*;
use leptos::reactive::graph::{Observer, Subscriber as _};

/// Takes whoever reads now off the lists of what it has read, once it is gone. Every memo, effect and part of a view that
/// does not live as long as the page says this when it runs.
///
/// Leptos leaves it on them. A signal empties its list when it changes, which some never do, and a memo never does: each
/// would hold all that ever read it, and go through them at every change.
pub(crate) fn leave_no_trace() {
    if let Some(reader) = Observer::get() {
        on_cleanup(move || reader.clear_sources(&reader));
    }
}

/// A memo of a function that does not look at the value before.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(
    value: impl Fn() -> T + Send + Sync + 'static,
) -> Memo<T> {
    boxed_memo(Box::new(value))
}

fn boxed_memo<T: PartialEq + Send + Sync + 'static>(
    value: Box<dyn Fn() -> T + Send + Sync>,
) -> Memo<T> {
    Memo::new(move |_| {
        leave_no_trace();
        value()
    })
}

/// Runs whenever something that it read has changed.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    boxed_effect(Box::new(run));
}

fn boxed_effect(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_| {
        leave_no_trace();
        run();
    });
}

/// A part of a view that is made anew whenever something that it read has changed.
pub(crate) fn dynamic<V: IntoAny>(
    mut view: impl FnMut() -> V + Send + 'static,
) -> Box<dyn FnMut() -> AnyView + Send> {
    Box::new(move || {
        leave_no_trace();
        view().into_any()
    })
}

/// An attribute's value, a class's or a property's that follows what it read.
pub(crate) fn live<T: 'static>(
    mut value: impl FnMut() -> T + Send + 'static,
) -> Box<dyn FnMut() -> T + Send> {
    Box::new(move || {
        leave_no_trace();
        value()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex, PoisonError, Weak};

    use leptos::reactive::computed::ArcMemo;
    use leptos::reactive::graph::{
        AnySource, AnySubscriber, ReactiveNode, Source as _, Subscriber, WithObserver as _,
    };
    use leptos::reactive::owner::Owner;

    use super::*;

    /// Stands for a part of a view: knows what it has read, and counts how often it is told that something has changed.
    #[derive(Default)]
    struct Part {
        read: Mutex<Vec<AnySource>>,
        told: AtomicUsize,
    }

    impl ReactiveNode for Part {
        fn mark_dirty(&self) {
            self.told.fetch_add(1, Ordering::Relaxed);
        }
        fn mark_check(&self) {
            self.mark_dirty();
        }
        fn mark_subscribers_check(&self) {}
        fn update_if_necessary(&self) -> bool {
            false
        }
    }

    impl Subscriber for Part {
        fn add_source(&self, source: AnySource) {
            self.read.lock().unwrap_or_else(PoisonError::into_inner).push(source);
        }
        fn clear_sources(&self, subscriber: &AnySubscriber) {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            for source in std::mem::take(&mut *read) {
                source.remove_subscriber(subscriber);
            }
        }
    }

    /// A memo that lives as long as the page, and what changes it.
    fn lasting() -> (RwSignal<usize>, Memo<usize>) {
        let typed = RwSignal::new(0);
        (typed, memo(move || typed.get()))
    }

    /// A part of a view that is gone is on no list any more of what it has read, though something still holds it.
    fn is_let_go(read: impl FnOnce(Memo<usize>)) {
        let page = Owner::new();
        page.with(|| {
            let (typed, of) = lasting();
            let part: Arc<Part> = Arc::default();
            let weak: Weak<Part> = Arc::downgrade(&part);
            let reader = AnySubscriber(Arc::as_ptr(&part) as usize, weak);
            let view = Owner::new();
            view.with(|| reader.with_observer(|| read(of)));
            typed.set(1);
            assert_eq!(part.told.load(Ordering::Relaxed), 1, "it follows while it is there");
            view.cleanup();
            typed.set(2);
            assert_eq!(of.get_untracked(), 2);
            assert_eq!(
                part.told.load(Ordering::Relaxed),
                1,
                "it is told of what it will never show"
            );
        });
    }

    #[test]
    fn what_was_taken_off_the_page_is_on_no_list_of_a_memo_that_stays() {
        is_let_go(|of| {
            live(move || of.get())();
        });
        is_let_go(|of| {
            drop(dynamic(move || of.get())());
        });
    }

    #[test]
    fn a_memo_that_is_gone_is_on_no_list_of_one_that_stays() {
        let page = Owner::new();
        page.with(|| {
            let (typed, of) = lasting();
            let view = Owner::new();
            let doubled = view.with(|| ArcMemo::from(memo(move || 2 * of.get())));
            assert_eq!(doubled.get_untracked(), 0);
            typed.set(1);
            assert_eq!(doubled.get_untracked(), 2, "it follows while it is there");
            view.cleanup();
            typed.set(2);
            assert_eq!(of.get_untracked(), 2);
            assert_eq!(doubled.get_untracked(), 2, "it is worked out for nobody");
        });
    }
}
