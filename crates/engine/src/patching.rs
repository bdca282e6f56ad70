//! Activation patching as a job does it: heads layer by layer, neurons in the order of what gradients say
//! of them, and how much of that is exact at any moment.

use std::collections::VecDeque;

use twinbeam_attribution::Progress as _;
use twinbeam_core::scores::{Patches, ScoreTable, Screening, Strip, TableKey};
use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::Claim;
use twinbeam_core::words::{ComponentKind, Direction, Method};

use crate::run::Job;
use crate::shares::{Found, Share};
use crate::{Error, Host};

/// Messages that a table of neurons is sent in, about: each is drawn.
const MESSAGES: usize = 100;

impl<H: Host> Job<'_, '_, H> {
    /// Every head, in the order of layers: a layer is shown when it is complete.
    pub(crate) async fn patch_heads(&mut self, direction: Direction) -> Result<(), Error> {
        let kind = ComponentKind::Heads;
        let key = TableKey { kind, method: Method::Ap, direction };
        let begun = self.ticker.host.seconds();
        let shape = self.outcome.shape;
        let width = shape.n_heads;
        let all: Vec<usize> = (0..shape.n_layers * width).collect();
        let (mut effects, mut shown) = (Vec::<f32>::with_capacity(all.len()), 0);
        while effects.len() < all.len() {
            let shares = self.cut_patches(kind, direction, &all[effects.len()..], 1);
            self.offer(shares.clone());
            for place in 0..shares.len() {
                effects.extend(self.effects(place).await?);
                while effects.len() >= (shown + 1) * width {
                    let values = effects[shown * width..(shown + 1) * width].to_vec();
                    let (layer, convergence_delta, n_steps) = (shown, None, None);
                    let strip = Strip { key, layer, values, convergence_delta, n_steps };
                    self.show(strip).await?;
                    shown += 1;
                }
            }
        }
        self.claim(Patches { kind, direction, places: all, values: effects }).await?;
        self.seconds(key, begun);
        Ok(())
    }

    /// Every neuron, the largest by integrated gradients and attribution patching first.
    pub(crate) async fn patch_neurons(&mut self, direction: Direction) -> Result<(), Error> {
        let kind = ComponentKind::Neurons;
        let begun = self.ticker.host.seconds();
        let key = |method| TableKey { kind, method, direction };
        let screens = [Method::Ig, Method::Atp].map(|m| self.outcome.tables.get(key(m)));
        let screens: Vec<&ScoreTable> = screens.into_iter().flatten().collect();
        let screening = Screening::by(&screens);
        let n = self.outcome.shape.n_layers * self.outcome.shape.d_mlp;
        let rounds = screening.rounds();
        let order = rounds.concat();
        let mut effects = Vec::with_capacity(order.len());
        // Rounds that have not been claimed, and where the first of them begins.
        let mut open: VecDeque<usize> = rounds.iter().map(Vec::len).collect();
        let mut begin = 0;
        while effects.len() < order.len() {
            // A GPU reads several batches together, and a round by itself may be less than that.
            let pieces = match self.ticker.pace() {
                Some(_) => vec![&order[effects.len()..]],
                None => rounds.iter().map(Vec::as_slice).collect(),
            };
            let cut = |piece| self.cut_patches(kind, direction, piece, n / MESSAGES);
            let shares: Vec<Share> = pieces.into_iter().flat_map(cut).collect();
            self.offer(shares.clone());
            for (place, share) in shares.into_iter().enumerate() {
                let Share::Patches { places, .. } = share else {
                    // OK because these are shares of patches.
                    unreachable!("{share:?} is of something else")
                };
                let values = self.effects(place).await?;
                effects.extend_from_slice(&values);
                let patches = Patches { kind, direction, places, values };
                patches.add_to(&mut self.outcome.tables);
                let table = self.outcome.tables.get(key(Method::Ap));
                let Some(coverage) = table.map(|table| screening.coverage(table)) else {
                    // OK because neurons are screened by integrated gradients, which come before.
                    unreachable!("patches make a table")
                };
                let job = self.ticker.job;
                self.ticker.show(Event::Patched { job, patches, coverage }).await?;
                // A round that is complete is checked while the next one is computed.
                while let Some(len) = open.pop_front_if(|len| begin + *len <= effects.len()) {
                    let round = begin..begin + len;
                    begin = round.end;
                    let places = order[round.clone()].to_vec();
                    let values = effects[round].to_vec();
                    self.claim(Patches { kind, direction, places, values }).await?;
                }
            }
        }
        self.seconds(key(Method::Ap), begun);
        Ok(())
    }

    /// Components at some places of a table in shares of whole batches, with no fewer than so many in each. On a device
    /// that has a pace it is the next share only, since how much it takes at a time may have changed by then.
    fn cut_patches(
        &self,
        kind: ComponentKind,
        direction: Direction,
        places: &[usize],
        fewest: usize,
    ) -> Vec<Share> {
        let at_once = self.pair.patched_at_once(&*self.ticker);
        let most = fewest.div_ceil(at_once).max(1) * at_once;
        let share = |places: &[usize]| Share::Patches { kind, direction, places: places.to_vec() };
        let shares = places.chunks(most).map(share);
        shares.take(if self.ticker.pace().is_some() { 1 } else { usize::MAX }).collect()
    }

    /// Effects of the share at a place of those that were put up.
    async fn effects(&mut self, place: usize) -> Result<Vec<f32>, Error> {
        match self.found(place).await? {
            Found::Patches(effects) => Ok(effects),
            // OK because a share of patches finds effects.
            Found::Integrals(_) => unreachable!("a share of patches has found integrals"),
        }
    }

    /// Claims effects.
    async fn claim(&mut self, patches: Patches) -> Result<(), Error> {
        if !self.claims {
            return Ok(());
        }
        self.ticker.claim(Claim::Patches(patches)).await
    }
}
