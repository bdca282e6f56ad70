//! Activation patching as a job does it: heads layer by layer, neurons in the order of what gradients say
//! of them, and how much of that is exact at any moment.

use twinbeam_attribution::{Progress as _, patch_some};
use twinbeam_core::{
    ComponentKind, Direction, Event, Method, Patches, Phase, ScoreTable, Screening, Strip,
};

use crate::run::{Aside, Job};
use crate::{Error, Host};

/// Messages that a table of neurons is sent in, about: each is drawn.
const MESSAGES: usize = 100;

impl<H: Host> Job<'_, '_, H> {
    /// Every head, in the order of layers: a layer is shown when it is complete.
    pub(crate) async fn patch_heads(&mut self, direction: Direction) -> Result<(), Error> {
        let kind = ComponentKind::Heads;
        self.ticker.phase = Phase::ApHeads;
        let begun = self.ticker.host.seconds();
        let shape = self.outcome.shape;
        let width = shape.n_heads;
        let all: Vec<usize> = (0..shape.n_layers * width).collect();
        let (mut effects, mut shown) = (Vec::with_capacity(all.len()), 0);
        while effects.len() < all.len() {
            let left = &all[effects.len()..];
            let at_once = self.pair.patched_at_once(&*self.ticker).min(left.len());
            effects.extend(self.patch(kind, direction, &left[..at_once]).await?);
            while effects.len() >= (shown + 1) * width {
                let values = effects[shown * width..(shown + 1) * width].to_vec();
                let (method, layer) = (Method::Ap, shown);
                let (convergence_delta, n_steps) = (None, None);
                let strip =
                    Strip { kind, method, direction, layer, values, convergence_delta, n_steps };
                self.show(strip).await?;
                shown += 1;
            }
        }
        self.seconds(format!("ap_{}_{direction}", kind.id()), begun);
        Ok(())
    }

    /// Every neuron, the largest by integrated gradients and attribution patching first.
    pub(crate) async fn patch_neurons(&mut self, direction: Direction) -> Result<(), Error> {
        let kind = ComponentKind::Neurons;
        self.ticker.phase = Phase::ApNeurons;
        let begun = self.ticker.host.seconds();
        let screens = [Method::Ig, Method::Atp].map(|m| self.outcome.table(kind, m, direction));
        let screens: Vec<&ScoreTable> = screens.into_iter().flatten().collect();
        let screening = Screening::by(&screens);
        let n = self.outcome.shape.n_layers * self.outcome.shape.d_mlp;
        let mut rounds = screening.rounds();
        if self.check.is_none() && self.ticker.pace().is_some() {
            // A round by itself may be less than what is read together.
            rounds = vec![rounds.concat()];
        }
        for round in rounds {
            let mut left = &round[..];
            while !left.is_empty() {
                let at_once = self.pair.patched_at_once(&*self.ticker);
                let message = (n / MESSAGES).div_ceil(at_once).max(1) * at_once;
                // What a GPU says is shown once a sample of it has been confirmed, which is done round by round.
                let message =
                    if self.check.is_some() { left.len() } else { message.min(left.len()) };
                let places;
                (places, left) = left.split_at(message);
                let places = places.to_vec();
                let values = self.patch(kind, direction, &places).await?;
                let patches = Patches { kind, direction, places, values };
                patches.add_to(&mut self.outcome.tables);
                let table = self.outcome.table(kind, Method::Ap, direction);
                let Some(coverage) = table.map(|table| screening.coverage(table)) else {
                    // OK because neurons are screened by integrated gradients, which come before.
                    unreachable!("patches make a table")
                };
                let job = self.ticker.job;
                self.ticker.show(Event::Patched { job, patches, coverage }).await?;
            }
        }
        self.seconds(format!("ap_{}_{direction}", kind.id()), begun);
        Ok(())
    }

    /// Effects of the components at some places of a table, a sample of them confirmed.
    async fn patch(
        &mut self,
        kind: ComponentKind,
        direction: Direction,
        places: &[usize],
    ) -> Result<Vec<f32>, Error> {
        let width = kind.width(&self.outcome.shape);
        let components: Vec<(usize, usize)> =
            places.iter().map(|place| (place / width, place % width)).collect();
        let ticker = &mut *self.ticker;
        let effects = patch_some(&self.pair, kind, &components, direction, ticker).await?;
        if let Some(check) = &mut self.check {
            let aside = &mut Aside(&mut *self.ticker);
            check.patches(kind, &components, direction, &effects, aside).await?;
        }
        Ok(effects)
    }
}
