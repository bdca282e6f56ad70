//! The loop of the page: a message changes the session, signals show what has changed, and the ports do what is to be
//! done.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::words::{Component, ComponentKind};

use crate::ports::{Ports, moment};
use crate::session::{Effect, Msg, Session, Visitor, update};
use crate::values::Sight;

/// Holds a signal against the session.
type Show = Box<dyn Fn(&Session)>;

/// The session, the ports, and what shows the one.
pub(super) struct Room {
    session: RefCell<Session>,
    ports: RefCell<Option<Ports>>,
    signals: RefCell<Vec<Show>>,
    /// Messages that came while another one was taken.
    waiting: RefCell<VecDeque<Msg>>,
}

impl Room {
    pub(super) fn new(session: Session) -> Rc<Self> {
        Rc::new(Self {
            session: RefCell::new(session),
            ports: RefCell::new(None),
            signals: RefCell::default(),
            waiting: RefCell::default(),
        })
    }

    /// Connects the session with the world, and does what it wants done first.
    pub(super) fn connect(self: &Rc<Self>, first: Vec<Effect>) {
        let room = Rc::clone(self);
        let mut ports = Ports::new(Rc::new(move |msg| room.tell(msg)));
        ports.listen();
        for effect in first {
            ports.perform(effect);
        }
        self.ports.replace(Some(ports));
    }

    pub(super) fn door(self: &Rc<Self>) -> Door {
        Door(StoredValue::new_local(Rc::clone(self)))
    }

    /// Takes a message: changes the session, shows what has changed, and does what is to be done.
    pub(super) fn tell(&self, msg: Msg) {
        self.waiting.borrow_mut().push_back(msg);
        let Ok(mut ports) = self.ports.try_borrow_mut() else {
            // Whoever is at it takes this one next.
            return;
        };
        loop {
            let Some(msg) = self.waiting.borrow_mut().pop_front() else { return };
            let effects = update(&mut self.session.borrow_mut(), moment(), msg);
            self.show();
            for effect in effects {
                if let Some(ports) = ports.as_mut() {
                    ports.perform(effect);
                }
            }
        }
    }

    fn show(&self) {
        let session = self.session.borrow();
        for signal in self.signals.borrow().iter() {
            signal(&session);
        }
    }

    /// A signal that shows a part of the session.
    pub(super) fn signal<T: Clone + PartialEq + Send + Sync + 'static>(
        &self,
        part: fn(&Session) -> &T,
    ) -> Shown<T> {
        let shown = RwSignal::new(part(&self.session.borrow()).clone());
        self.signals.borrow_mut().push(Box::new(move |session| {
            let now = part(session);
            if shown.with_untracked(|before| before != now) {
                shown.set(now.clone());
            }
        }));
        Shown(shown)
    }

    /// A signal that shows what follows from the session.
    pub(super) fn derived<T: PartialEq + Send + Sync + 'static>(
        &self,
        read: fn(&Session) -> T,
    ) -> Shown<T> {
        self.compared(read, PartialEq::eq)
    }

    /// A signal that shows something large, which is another one whenever it has changed.
    pub(super) fn shared<T: Shared + Send + Sync + 'static>(
        &self,
        read: fn(&Session) -> T,
    ) -> Shown<T> {
        self.compared(read, Shared::is_same)
    }

    fn compared<T: Send + Sync + 'static>(
        &self,
        read: fn(&Session) -> T,
        is_same: fn(&T, &T) -> bool,
    ) -> Shown<T> {
        let shown = RwSignal::new(read(&self.session.borrow()));
        self.signals.borrow_mut().push(Box::new(move |session| {
            let now = read(session);
            if !shown.with_untracked(|before| is_same(before, &now)) {
                shown.set(now);
            }
        }));
        Shown(shown)
    }
}

/// A signal that shows something of the session: only the session can change it.
#[derive(Debug)]
pub(crate) struct Shown<T: 'static>(RwSignal<T>);

impl<T> Clone for Shown<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shown<T> {}

impl<T: Send + Sync + 'static> Shown<T> {
    pub(crate) fn get(self) -> T
    where
        T: Clone,
    {
        self.0.get()
    }

    pub(crate) fn get_untracked(self) -> T
    where
        T: Clone,
    {
        self.0.get_untracked()
    }

    pub(crate) fn with<R>(self, read: impl FnOnce(&T) -> R) -> R {
        self.0.with(read)
    }

    pub(crate) fn with_untracked<R>(self, read: impl FnOnce(&T) -> R) -> R {
        self.0.with_untracked(read)
    }

    /// Is told of changes without reading.
    pub(crate) fn track(self) {
        self.0.track();
    }
}

/// Something that is compared by where it is, since to compare all of it would take long.
pub(super) trait Shared {
    fn is_same(&self, other: &Self) -> bool;
}

impl<T: ?Sized> Shared for Arc<T> {
    fn is_same(&self, other: &Self) -> bool {
        Self::ptr_eq(self, other)
    }
}

impl<T: ?Sized> Shared for Option<Arc<T>> {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

/// The way to the session, for those who may not own it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door(StoredValue<Rc<Room>, LocalStorage>);

impl Door {
    pub(super) fn tell(self, msg: Msg) {
        self.0.with_value(Rc::clone).tell(msg);
    }

    /// What is looked at now.
    pub(super) fn sight(self) -> Box<Sight> {
        self.read(|session| Box::new(session.sight.clone()))
    }

    /// Pins a component; what the readouts say is of it until something else is pointed at. `in_view`: a neuron comes
    /// into view.
    pub(super) fn pin(self, component: Component, in_view: bool) {
        let mut sight = self.sight();
        sight.pinned = Some(component);
        if sight.cell != Some(component) {
            // Where pointer or keys have been before is not what is looked at now.
            sight.cell = None;
        }
        if in_view && component.kind == ComponentKind::Neurons {
            sight.window = sight.window.about(component.index);
        }
        self.look(sight);
    }

    /// Looks at something else.
    pub(super) fn look(self, sight: Box<Sight>) {
        self.tell(Visitor::Look(sight).into());
    }

    /// Reads the session as it is now, without being told of changes.
    pub(super) fn read<T>(self, read: impl FnOnce(&Session) -> T) -> T {
        let room = self.0.with_value(Rc::clone);
        let session = room.session.borrow();
        read(&session)
    }
}

/// Something that a visitor chooses to look at: it reads as a signal, and to set it is a message.
pub(crate) struct Choice<T: 'static> {
    shown: Shown<T>,
    place: fn(&mut Sight) -> &mut T,
    door: Door,
}

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Choice<T> {}

impl<T> std::fmt::Debug for Choice<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Choice")
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Choice<T> {
    /// A choice is named twice: once to show it, once to change it.
    pub(super) fn new(
        room: &Rc<Room>,
        shown: fn(&Session) -> &T,
        place: fn(&mut Sight) -> &mut T,
    ) -> Self {
        Self { shown: room.signal(shown), place, door: room.door() }
    }

    pub(crate) fn get(&self) -> T {
        self.shown.get()
    }

    pub(crate) fn get_untracked(&self) -> T {
        self.shown.get_untracked()
    }

    pub(crate) fn with<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        self.shown.with(read)
    }

    pub(crate) fn set(&self, value: T) {
        self.update(|place| *place = value);
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut T)) {
        let mut sight = self.door.sight();
        change((self.place)(&mut sight));
        self.door.look(sight);
    }
}
