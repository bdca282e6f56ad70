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
        if self.ticker.pace().is_some() {
            return places.chunks(most).map(share).take(1).collect();
        }
        let width = kind.width(&self.outcome.shape);
        let cost = |place: &usize| self.pair.cost().patches(kind, [place / width]);
        let costs: Vec<u64> = places.iter().map(cost).collect();
        let mut rest = places;
        cut_evenly(&costs, most)
            .into_iter()
            .map(|n| share(rest.split_off(..n).unwrap_or_default()))
            .collect()
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

/// How many neighbours of a list go together, so that no part has more than `most`. Each costs as much as one of the
/// parts that what is left could be in, so that none is dearer than those before it, and whoever takes one after the other
/// beside somebody else is done at about the same time.
fn cut_evenly(costs: &[u64], most: usize) -> Vec<usize> {
    let (mut cut, mut rest) = (Vec::new(), costs);
    while !rest.is_empty() {
        let parts = rest.len().div_ceil(most.max(1)) as u64;
        let share = rest.iter().sum::<u64>().div_ceil(parts);
        let mut cost = 0;
        let fits = |next: &&u64| {
            cost += **next;
            // The one in the middle of which a share ends goes where more of it is.
            2 * cost <= 2 * share + **next
        };
        let n = rest.iter().take(most).take_while(fits).count().max(1);
        cut.push(n);
        rest = &rest[n..];
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Heads of a model, of which those of a layer cost as much as layers are left.
    fn heads(layers: u64, width: usize) -> Vec<u64> {
        (0..layers).flat_map(|layer| vec![layers - layer; width]).collect()
    }

    #[test]
    fn two_who_take_parts_in_turn_are_done_at_about_the_same_time() {
        for (costs, most) in
            [(heads(12, 12), 112), (heads(24, 16), 112), (heads(12, 12), 40), (vec![3; 100], 7)]
        {
            let cut = cut_evenly(&costs, most);
            assert_eq!(cut.iter().sum::<usize>(), costs.len());
            assert!(cut.iter().all(|n| (1..=most).contains(n)), "{cut:?}");
            let mut rest = &costs[..];
            let of_parts: Vec<u64> =
                cut.iter().map(|n| rest.split_off(..*n).expect("a part").iter().sum()).collect();
            let mut busy = [0, 0];
            for cost in &of_parts {
                *busy.iter_mut().min().expect("two") += cost;
            }
            let [one, other] = busy;
            assert!(20 * one.max(other) <= 11 * (one + other), "{of_parts:?}: {busy:?}");
        }
        // The notebook's heads: 44 of the first layers cost as much as the 100 behind them.
        assert_eq!(cut_evenly(&heads(12, 12), 112), [44, 100]);
    }

    #[test]
    fn what_fits_stays_together() {
        assert_eq!(cut_evenly(&heads(4, 8), 112), [32]);
        assert_eq!(cut_evenly(&[5, 1, 1], 1), [1, 1, 1]);
        assert!(cut_evenly(&[], 3).is_empty());
    }
}
