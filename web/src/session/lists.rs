//! The list of prompt pairs: typed, read from a file, drawn, brought back.

use std::sync::Arc;

use twinbeam_core::link::View;
use twinbeam_core::prompts::lists::{Limits, PairsError, print_pairs};
use twinbeam_core::prompts::{Draw, PromptPair};

use super::many::Run;
use super::session::Session;
use crate::explain::lists;
use crate::values::Before;

impl Session {
    /// Takes what a person has typed.
    pub(super) fn type_pairs(&mut self, text: String) {
        self.take_text(text);
        self.no_longer_last();
    }

    /// Takes a file in place of what is in the field.
    pub(super) fn read_file(&mut self, name: &str, text: String) {
        self.keep_list(lists::file_instead(name));
        // What was to be added was to be added to the list before.
        self.many.adding = None;
        self.take_text(text);
    }

    /// Says why a file is not read; `None`: the browser does not say.
    pub(super) fn refuse_file(&mut self, name: &str, why: Option<&PairsError>) {
        let words =
            why.map_or_else(|| lists::file_unread(name), |why| lists::file_refused(name, why));
        self.many.problem = Some(words);
    }

    /// Takes what is in the field; what cannot be read stays there, and it is said why.
    fn take_text(&mut self, text: String) {
        self.many.draw = None;
        self.many.write(text);
        let (pairs, problem) = self.read_field();
        // White space between two fields is no reason to lose what was found.
        if *self.many.pairs != pairs {
            self.take_pairs(pairs);
        }
        self.many.problem = problem;
    }

    /// The pairs in the field, and what is wrong with it as a whole.
    fn read_field(&self) -> (Vec<PromptPair>, Option<String>) {
        match &*self.many.list {
            Ok(list) => (list.pairs(), None),
            // An empty field is no mistake.
            Err(_) if self.many.text.trim().is_empty() => (Vec::new(), None),
            Err(source) => (Vec::new(), Some(lists::unreadable(source))),
        }
    }

    /// Takes pairs in place of those there were.
    pub(super) fn take_pairs(&mut self, pairs: Vec<PromptPair>) {
        self.pause_pairs();
        self.many.run = Run::default();
        self.many.next = 0;
        self.many.merged = None;
        self.many.of = None;
        self.many.problem = None;
        self.set_pairs(pairs);
    }

    /// The field shows the pairs, wherever they have come from.
    fn set_pairs(&mut self, pairs: Vec<PromptPair>) {
        self.many.pairs = Arc::new(pairs);
        if !self.many.pairs.is_empty() && self.many.own_list().is_none() {
            self.many.write(print_pairs(&self.many.pairs));
        }
    }

    /// Draws pairs of a task, as soon as a worker is there: it has the words. They are added to a list of the visitor's
    /// own, and take the place of pairs that were drawn.
    pub(super) fn draw_pairs(&mut self, task: String, n: usize, seed: u32) {
        let draw = Draw { task, n, seed };
        let own = self.many.pairs.len();
        if own > 0 && self.many.draw.is_none() {
            let fits = own + n <= Limits::PAGE.pairs;
            self.many.problem = (!fits).then(|| lists::no_room(own, n));
            self.many.adding = fits.then_some(draw);
            return;
        }
        self.keep_list(lists::drawn_instead(n));
        self.many.adding = None;
        self.take_pairs(Vec::new());
        self.many.draw = Some(draw);
    }

    /// Draws pairs of a task in place of drawn ones, or adds them, and runs all that is there then.
    pub(super) fn draw_and_run(&mut self, Draw { task, n, seed }: Draw) {
        self.draw_pairs(task, n, seed);
        self.many.run_when_drawn = self.many.draw.is_some() || self.many.adding.is_some();
    }

    /// Takes what the worker has drawn, if it is what is wanted now.
    pub(super) fn take_drawn(&mut self, what: &Draw, pairs: Vec<PromptPair>) {
        self.many.drawing = None;
        let is_added = self.many.adding.as_ref() == Some(what);
        if !is_added && self.many.draw.as_ref() != Some(what) {
            return;
        }
        self.many.adding = None;
        if pairs.is_empty() && what.n > 0 {
            if !is_added {
                self.many.draw = None;
            }
            self.many.problem = Some(lists::no_task(&what.task));
        } else if is_added {
            self.add_pairs(pairs);
        } else {
            self.take_pairs(pairs);
        }
        if std::mem::take(&mut self.many.run_when_drawn) && !self.many.pairs.is_empty() {
            self.begin_pairs();
        }
    }

    /// Adds pairs to the visitor's own. A link then holds all of them: they cannot be drawn again.
    fn add_pairs(&mut self, more: Vec<PromptPair>) {
        let mut pairs = self.many.pairs.to_vec();
        let (own, n) = (pairs.len(), more.len());
        // More may have been typed in the meantime.
        if own + n > Limits::PAGE.pairs {
            self.many.problem = Some(lists::no_room(own, n));
            return;
        }
        let n_bad = self.many.list.as_ref().as_ref().map_or(0, |list| list.bad().count());
        self.keep_list(lists::added(n, own, n_bad));
        pairs.extend(more);
        self.many.draw = None;
        self.take_pairs(pairs);
    }

    /// Keeps the list, if there is one, before it is changed by something that can be undone.
    fn keep_list(&mut self, done: String) {
        let many = &self.many;
        let before = Before {
            text: many.text.to_string(),
            pairs: many.pairs.to_vec(),
            draw: many.draw.clone(),
            done,
            is_last: true,
        };
        self.many.before = (!before.text.trim().is_empty()).then_some(before);
    }

    fn no_longer_last(&mut self) {
        if let Some(before) = &mut self.many.before {
            before.is_last = false;
        }
    }

    /// Brings back the list that was kept, to the letter, and keeps the one that was there: whoever undoes once more has it.
    pub(super) fn undo_pairs(&mut self) {
        let Some(Before { text, pairs, draw, .. }) = self.many.before.take() else {
            return;
        };
        self.keep_list(lists::UNDONE.to_owned());
        self.no_longer_last();
        self.many.adding = None;
        self.take_pairs(pairs);
        self.many.draw = draw;
        self.many.write(text);
        self.many.problem = self.read_field().1;
    }

    /// Takes the pairs that a link names, or those that it says were drawn.
    pub(super) fn take_pairs_of_link(&mut self, view: &View) {
        if view.draw.is_none() && view.pairs.is_empty() {
            // What is in the field is of the address before.
            self.many.write(String::new());
            self.many.problem = None;
        }
        self.many.adding = None;
        self.many.before = None;
        self.many.draw.clone_from(&view.draw);
        self.set_pairs(view.pairs.clone());
    }

    /// Another link's pairs have taken the place of those there were, or are named by it: what was found goes, unless
    /// it was found with these very pairs.
    pub(super) fn draw_again(&mut self) {
        let Run { merging, draw, pairs, .. } = &self.many.run;
        let is_same = *draw == self.many.draw && (draw.is_some() || *pairs == self.many.pairs);
        if is_same && merging.is_some() {
            // Drawn pairs do not travel with a link.
            self.set_pairs(pairs.to_vec());
        } else {
            self.take_pairs(self.many.pairs.to_vec());
        }
    }
}
