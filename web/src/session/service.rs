//! The copy of the page that the browser keeps: when it is asked for, and what is said of newer ones.

use super::msg::Effect;
use super::session::Session;
use crate::values::{Order, Service, Status};

impl Session {
    /// The browser is asked to keep the page once its first figure is there: nothing is in the way of that. A frame in
    /// another page is not kept by itself, as its reader may never come back.
    pub(super) fn keep_page(&mut self) {
        if !self.is_keeping && !self.is_frame && self.status() == Status::Done {
            self.is_keeping = true;
            self.effects.push(Effect::Service(Order::Keep));
        }
    }

    /// Something of the page does not work, before its first figure: where it came from what the browser keeps, another try
    /// takes the server's.
    pub(super) fn distrust_copy(&mut self) {
        if !self.is_keeping && !self.is_frame {
            self.effects.push(Effect::Service(Order::Leave));
        }
    }

    /// The browser has said something of the copy.
    pub(super) fn hear_service(&mut self, service: Service) {
        match service {
            Service::Absent => self.is_kept = Some(false),
            Service::Kept => self.is_kept = Some(true),
            Service::Newer | Service::Stuck | Service::Replaced | Service::Gone => {
                self.newer = Some(service).filter(|_| !self.is_frame);
            }
        }
    }

    /// The visitor wants the newer build now: the address takes what is on the screen, and the page is loaded anew.
    pub(super) fn load_newer(&mut self) {
        self.newer = None;
        self.write_view();
        self.effects.push(Effect::Service(Order::Load));
    }
}
