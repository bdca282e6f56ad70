//! Where a component sits in the model: tokens across, layers down, and what its head reads at the last token.

use twinbeam_core::words::{Component, ComponentKind};

use super::markup::{
    attribute, begin, cut, line, picture, push_number, rectangle, shape, text, text_width, upright,
};
use crate::words::visible;

const WIDTH: f64 = 360.0;
/// Left of the streams: names of layers and runs.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
/// Tokens that are drawn at most.
const MOST: usize = 20;
/// Height of all layers but the component's own, and of one of them at most.
const LAYERS: f64 = 120.0;
const LAYER: f64 = 22.0;
/// Height of the layer of a head: room for what it reads in the clean run, above, and in the corrupted one, below.
const OWN: f64 = 102.0;
/// Width of a token's text at most.
const TOKEN: f64 = 88.0;
/// Height of the strip of effects by token, and of the largest bar in it.
const STRIP: f64 = 44.0;
const BAR: f64 = 18.0;
/// A smaller share of the attention is not drawn.
pub const LEAST: f32 = 0.03;

/// What is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Residual {
    /// The component that is pointed out.
    pub of: Option<Component>,
    /// Layers of the model.
    pub n_layers: usize,
    /// The two prompts' tokens; empty: not known.
    pub tokens: Vec<[String; 2]>,
    /// Tokens of the prompt.
    pub n_pos: usize,
    /// What the head attends to at the last token, in the clean and in the corrupted run; empty: not known.
    pub attention: [Vec<f32>; 2],
    /// Its effects by token, by IG and by AP; empty: not known.
    pub effects: [Vec<f32>; 2],
}

impl Residual {
    /// The positions that are drawn, in order: all, or the first, the last and those that matter.
    fn drawn(&self) -> Vec<usize> {
        if self.n_pos <= MOST {
            return (0..self.n_pos).collect();
        }
        let mut wanted = vec![0, self.n_pos - 1];
        let mut by_weight: Vec<(f32, usize)> = self
            .attention
            .iter()
            .flat_map(|weights| weights.iter().copied().zip(0..self.n_pos))
            .filter(|(weight, _)| *weight >= LEAST)
            .collect();
        by_weight.sort_by(|a, b| b.0.total_cmp(&a.0));
        wanted.extend(by_weight.into_iter().map(|(_, at)| at));
        let differs = |at: &usize| self.tokens.get(*at).is_some_and(|[a, b]| a != b);
        wanted.extend((0..self.n_pos).filter(differs));
        wanted.extend((0..self.n_pos).rev());
        let mut drawn = Vec::new();
        for at in wanted {
            if drawn.len() < MOST && !drawn.contains(&at) {
                drawn.push(at);
            }
        }
        drawn.sort_unstable();
        drawn
    }

    /// The picture. Its words are for others to say.
    pub fn draw(&self) -> String {
        let Some(of) = self.of else { return String::new() };
        let positions = self.drawn();
        let pitch = (WIDTH - LEFT - RIGHT) / positions.len().max(1) as f64;
        let x = |column: usize| LEFT + pitch * (column as f64 + 0.5);
        let is_head = of.kind == ComponentKind::Heads;
        let height = (LAYERS / self.n_layers.max(1) as f64).clamp(4.0, LAYER);
        let own = if is_head { OWN } else { 2.0 * LAYER };
        let names: Vec<String> = positions.iter().map(|at| self.name(*at)).collect();
        let widest = names.iter().fold(0.0, |most: f64, name| most.max(text_width(name)));
        // Tokens that are not known yet may be as long as any.
        let room = if self.tokens.is_empty() { TOKEN } else { widest.min(TOKEN) };
        let top = room + 8.0;
        let y = |layer: usize| {
            top + height * layer as f64 + if layer > of.layer { own - height } else { 0.0 }
        };
        let bottom = y(self.n_layers);
        let mut out = String::new();

        self.draw_tokens(&mut out, (&positions, &names), &x, room);
        rectangle(&mut out, "residual-own", [2.0, y(of.layer), WIDTH - 4.0, own]);
        for column in 0..positions.len() {
            line(&mut out, "residual-stream", [x(column), top - 2.0, x(column), bottom + 6.0]);
            // Tokens are left out before it.
            if column > 0 && positions[column] > positions[column - 1] + 1 {
                text(&mut out, "plot-soft plot-mid", [x(column) - pitch / 2.0, bottom + 6.0], "…");
            }
        }
        for layer in 0..self.n_layers {
            let (at, high) = (y(layer), if layer == of.layer { own } else { height });
            let [attention, mlp] = blocks(at, high, is_head && layer == of.layer);
            let size = (0.28 * height).clamp(1.2, 3.4);
            for column in 0..positions.len() {
                shape(
                    &mut out,
                    "circle",
                    "residual-block",
                    &[("cx", x(column)), ("cy", attention), ("r", size)],
                );
                let is_own = !is_head && layer == of.layer;
                let (class, half) =
                    if is_own { ("residual-here", 5.0) } else { ("residual-block", size) };
                let place = [x(column) - half, mlp - half, 2.0 * half, 2.0 * half];
                rectangle(&mut out, class, place);
            }
            // As many names as there is room for.
            if layer == of.layer || height >= 11.0 || layer + 1 == self.n_layers || layer == 0 {
                let class = if layer == of.layer { "plot-title" } else { "plot-soft" };
                let base = if layer == of.layer && is_head { attention } else { at + high / 2.0 };
                if layer == of.layer || height >= 11.0 || layer.abs_diff(of.layer) > 1 {
                    text(&mut out, class, [6.0, base + 4.0], &format!("layer {layer}"));
                }
            }
        }
        if is_head {
            self.draw_head(&mut out, &positions, &x, (y(of.layer), own));
        }
        let last = x(positions.len().saturating_sub(1));
        begin(&mut out, "path", "residual-arrow", &[]);
        let mut path = String::from("M");
        corner(&mut path, [last - 4.0, bottom + 4.0]);
        path.push('L');
        corner(&mut path, [last, bottom + 10.0]);
        path.push('L');
        corner(&mut path, [last + 4.0, bottom + 4.0]);
        attribute(&mut out, "d", &path);
        out.push_str("/>");
        text(
            &mut out,
            "plot-soft plot-end",
            [last + 8.0, bottom + 22.0],
            "the answer is read here",
        );
        self.draw_effects(&mut out, &positions, &x, bottom + 28.0 + STRIP / 2.0);
        picture([WIDTH, bottom + 28.0 + STRIP], &out)
    }

    /// Bars at each token, up for what supports the clean behaviour; its room is there before they are.
    fn draw_effects(
        &self,
        out: &mut String,
        positions: &[usize],
        x: &dyn Fn(usize) -> f64,
        zero: f64,
    ) {
        text(out, "plot-soft", [6.0, zero + 4.0], "by token");
        line(out, "plot-zero", [LEFT, zero, WIDTH - RIGHT, zero]);
        let largest = self.effects.iter().flatten().fold(0.0_f32, |most, v| most.max(v.abs()));
        if largest == 0.0 {
            let words = if self.effects[0].is_empty() {
                "“Token by token” computes it"
            } else {
                "all 0"
            };
            let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
            text(out, "plot-soft plot-mid", [middle, zero - 5.0], words);
            return;
        }
        for (method, class, aside) in [(0, "residual-ig", -5.0), (1, "residual-ap", 0.5)] {
            for (column, at) in positions.iter().enumerate() {
                let Some(effect) = self.effects[method].get(*at) else { continue };
                let high = BAR * f64::from(effect / largest);
                let place = [x(column) + aside, zero - high.max(0.0), 4.5, high.abs()];
                rectangle(out, class, place);
            }
        }
    }

    /// What is written at a position: its token, or both where the prompts differ.
    fn name(&self, at: usize) -> String {
        match self.tokens.get(at) {
            Some([clean, corrupted]) if clean != corrupted => {
                format!("{}/{}", visible(clean), visible(corrupted))
            }
            Some([clean, _]) => visible(clean),
            None => at.to_string(),
        }
    }

    fn draw_tokens(
        &self,
        out: &mut String,
        (positions, names): (&[usize], &[String]),
        x: &dyn Fn(usize) -> f64,
        room: f64,
    ) {
        for (column, (at, name)) in positions.iter().zip(names).enumerate() {
            let differs = self.tokens.get(*at).is_some_and(|[clean, corrupted]| clean != corrupted);
            let class = if differs { "plot-title" } else { "plot-label" };
            upright(out, class, [x(column) + 4.0, room + 2.0], &cut(name, room));
        }
    }

    /// The head at the last token, and arcs from what it reads: clean above, corrupted below.
    fn draw_head(
        &self,
        out: &mut String,
        positions: &[usize],
        x: &dyn Fn(usize) -> f64,
        (top, own): (f64, f64),
    ) {
        let [middle, _] = blocks(top, own, true);
        let last = positions.len().saturating_sub(1);
        for (run, name, up) in [(0, "clean", 1.0), (1, "corrupted", -1.0)] {
            let edge = if up > 0.0 { top + 13.0 } else { middle + 42.0 };
            text(out, "plot-soft", [6.0, edge], name);
            let weights = &self.attention[run];
            let mut written = f64::NEG_INFINITY;
            for (column, at) in positions.iter().enumerate() {
                let Some(weight) = weights.get(*at).copied().filter(|weight| *weight >= LEAST)
                else {
                    continue;
                };
                let class = if up > 0.0 { "residual-clean" } else { "residual-corrupted" };
                begin(out, "path", class, &[("stroke-width", f64::from(0.8 + 5.0 * weight))]);
                let (from, to) = (x(column), x(last));
                let bend = middle - up * (14.0 + 42.0 * (to - from) / (WIDTH - LEFT));
                let mut path = String::from("M");
                corner(&mut path, [from, middle]);
                path.push('Q');
                // To itself: a loop.
                let side = if column == last { from - 14.0 } else { f64::midpoint(from, to) };
                corner(&mut path, [side, bend]);
                path.push(' ');
                corner(&mut path, [to, middle]);
                attribute(out, "d", &path);
                out.push_str("/>");
                // In percent, where the number before leaves room.
                let percent = format!("{:.0}", 100.0 * weight);
                let half = text_width(&percent) / 2.0;
                if weight >= 0.1 && from - half > written {
                    text(out, "plot-mid residual-percent", [from, edge], &percent);
                    written = from + half + 2.0;
                }
            }
        }
        shape(out, "circle", "residual-here", &[("cx", x(last)), ("cy", middle), ("r", 6.0)]);
    }
}

/// Heights of a layer's attention and of its MLP.
fn blocks(top: f64, height: f64, has_arcs: bool) -> [f64; 2] {
    if has_arcs {
        [top + 44.0, top + height - 6.0]
    } else {
        [0.3, 0.72].map(|share| top + share * height)
    }
}

fn corner(path: &mut String, [x, y]: [f64; 2]) {
    push_number(path, x);
    path.push(' ');
    push_number(path, y);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residual(kind: ComponentKind, n_pos: usize) -> Residual {
        let tokens = (0..n_pos).map(|at| {
            let text = format!(" t{at}");
            [text.clone(), if at == 2 { " <b>".to_owned() } else { text }]
        });
        Residual {
            of: Some(Component { kind, layer: 1, index: 0 }),
            n_layers: 4,
            tokens: tokens.collect(),
            n_pos,
            attention: [Vec::new(), Vec::new()],
            effects: [Vec::new(), Vec::new()],
        }
    }

    #[test]
    fn arcs_are_of_what_is_attended_to_and_of_nothing_else() {
        let mut of = residual(ComponentKind::Heads, 4);
        assert!(!of.draw().contains("residual-clean"), "nothing is known yet");
        let empty = of.draw().len();
        of.attention = [vec![0.7, 0.0, 0.28, 0.02], vec![0.01, 0.97, 0.01, 0.01]];
        let svg = of.draw();
        let n = |class: &str| svg.matches(&format!("class=\"{class}\"")).count();
        assert_eq!((n("residual-clean"), n("residual-corrupted"), n("residual-here")), (2, 1, 1));
        assert!(svg.contains(">70<") && svg.contains(">28<") && svg.contains(">97<"), "{svg}");
        assert!(svg.contains("t2/·&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert!(svg.len() > empty && svg.matches("residual-stream").count() == 4);
    }

    #[test]
    fn a_picture_has_one_size_whatever_has_been_answered() {
        let size = |of: &Residual| {
            let svg = of.draw();
            svg[svg.find("viewBox").expect("a size")..].split('>').next().map(str::to_owned)
        };
        let mut of = residual(ComponentKind::Heads, 9);
        let before = size(&of);
        of.attention = [vec![0.1; 9], vec![0.1; 9]];
        of.effects = [vec![0.1; 9], vec![-0.1; 9]];
        assert_eq!(size(&of), before);
    }

    #[test]
    fn a_neuron_acts_at_every_token_and_reads_none() {
        let svg = residual(ComponentKind::Neurons, 5).draw();
        assert_eq!(svg.matches("residual-here").count(), 5);
        assert!(!svg.contains("corrupted"), "{svg}");
    }

    #[test]
    fn effects_by_token_are_bars_up_and_down() {
        let mut of = residual(ComponentKind::Heads, 3);
        assert!(of.draw().contains("computes it"));
        of.effects = [vec![0.0, 0.5, -1.0], vec![0.0; 3]];
        let svg = of.draw();
        let heights = svg.split("class=\"residual-ig\"").skip(1).map(|bar| {
            let height = bar.split("height=\"").nth(1).expect("a bar");
            height.split('"').next().expect("a number").to_owned()
        });
        assert_eq!(heights.collect::<Vec<_>>(), ["0", "9", "18"]);
        of.effects = [vec![0.0; 3], vec![0.0; 3]];
        assert!(of.draw().contains("all 0"));
    }

    #[test]
    fn of_a_long_prompt_what_matters_is_drawn() {
        let mut of = residual(ComponentKind::Heads, 60);
        of.attention[0] = vec![0.0; 60];
        of.attention[0][31] = 0.9;
        let drawn = of.drawn();
        assert_eq!(drawn.len(), MOST);
        for at in [0, 2, 31, 59] {
            assert!(drawn.contains(&at), "{at} of {drawn:?}");
        }
        assert!(drawn.is_sorted() && of.draw().contains(">…<"));
    }
}
