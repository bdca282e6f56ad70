//! The terms of the page, each in a sentence or two. `docs/METHODS.md` defines them in full.

/// A term with what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) means: &'static str,
}

const fn entry(id: &'static str, name: &'static str, means: &'static str) -> Entry {
    Entry { id, name, means }
}

/// In the order in which they are best read.
pub(crate) const ENTRIES: &[Entry] = &[
    entry(
        "clean",
        "clean and corrupted",
        "Two prompts that differ in little. The clean one shows the behaviour, the corrupted one does not. A run is the model \
         reading one of them.",
    ),
    entry(
        "logit",
        "logit",
        "The number that the model gives a token before it makes probabilities of all of them. One logit more is 2.7 times \
         the odds.",
    ),
    entry(
        "logit-difference",
        "logit difference",
        "Logit of the answer minus logit of the wrong answer, at the last token: how much the model prefers the one to the \
         other. It is the usual metric here.",
    ),
    entry(
        "metric",
        "metric",
        "The one number of a run that all scores are about: the logit difference, unless you choose another.",
    ),
    entry(
        "gap",
        "gap",
        "The metric of the clean run minus that of the corrupted one: what is to be explained.",
    ),
    entry(
        "share",
        "share of the gap",
        "A score divided by the gap: 50 % is half the way from one run to the other. Where the two runs hardly differ there is \
         no such share.",
    ),
    entry(
        "head",
        "head",
        "One of the attention units of a layer. It reads earlier tokens and adds something to the residual stream. L0H7 is head \
         7 of layer 0; both are counted from 0.",
    ),
    entry(
        "neuron",
        "neuron",
        "One unit of a layer’s MLP, the part that works on each token by itself. L0N7 is neuron 7 of layer 0.",
    ),
    entry("component", "component", "A head or a neuron: something that has a score."),
    entry(
        "residual",
        "residual stream",
        "What runs through the model at each token. Every head and every MLP reads it and adds to it, and the prediction is \
         read off its end.",
    ),
    entry(
        "ap",
        "activation patching (AP)",
        "Put one component’s activation from the other run in, at all tokens, and see by how much the metric changes. Exact, \
         one component at a time.",
    ),
    entry(
        "ig",
        "integrated gradients (IG)",
        "Move all components of a layer together, in small steps, from their activations in one run to those in the other, and \
         add up what each one’s gradient says on the way. The scores of a layer add up to what the whole layer does.",
    ),
    entry(
        "atp",
        "attribution patching (AtP)",
        "The gradient at the start alone, times the change of activations: an estimate of AP in one step.",
    ),
    entry(
        "alpha",
        "alpha",
        "How far the layer has moved on IG’s line: 0 is the run that is changed, 1 the other run’s activations.",
    ),
    entry(
        "noising",
        "noising",
        "Change the clean run: put corrupted activations in and see what is lost. It asks what is necessary.",
    ),
    entry(
        "denoising",
        "denoising",
        "Change the corrupted run: put clean activations in and see what comes back. It asks what is sufficient.",
    ),
    entry(
        "necessary",
        "necessary and sufficient",
        "Necessary: without it the behaviour suffers (noising shows that). Sufficient: it alone brings some of the behaviour \
         back (denoising shows that).",
    ),
    entry(
        "parts",
        "queries, keys and values",
        "What a head makes of the residual stream: queries say where it looks from, keys where it looks, values what it takes. \
         Each can be put in from the other run by itself.",
    ),
    entry(
        "direct",
        "direct effect",
        "What of a component’s effect goes straight to the logits: its change reaches the end of the residual stream, and no \
         later layer reads it. Exact: the final LayerNorm is computed anew.",
    ),
    entry(
        "dla",
        "direct logit attribution (DLA)",
        "An estimate of the direct effect of one multiplication: the final LayerNorm keeps its scale. Defined for the logit \
         difference.",
    ),
    entry(
        "lens",
        "logit lens",
        "What a head writes at the last token, read as tokens: through the final LayerNorm’s scale and the unembedding, how much \
         of each token’s logit is the head’s.",
    ),
    entry("joint", "joint patch", "All heads, or all neurons, of a layer replaced together."),
    entry(
        "interaction",
        "interaction",
        "What components of a layer do together and not alone. IG − AP is interaction, and nothing else.",
    ),
    entry(
        "redundant",
        "redundant and synergistic",
        "Redundant: components stand in for each other, as the inputs of an OR do. Synergistic: they need each other, as those \
         of an AND do.",
    ),
    entry(
        "delta",
        "convergence delta",
        "What the IG scores of a layer fail to add up to: their sum minus the joint patch. Near 0, the integral is good.",
    ),
    entry(
        "edge",
        "edge, sender, receiver",
        "An edge leads from what writes to the residual stream (the sender: embedding, head, MLP) to what reads it (the \
         receiver: a head’s queries, keys or values, an MLP, the logits).",
    ),
    entry(
        "path-patching",
        "path patching",
        "Let one receiver alone read a sender’s activation from the other run; all between them stays as it was. Exact, one \
         edge at a time (Wang et al. 2022).",
    ),
    entry(
        "eap",
        "edge attribution patching (EAP)",
        "The sender’s change times the gradient at the receiver’s input: an estimate of path patching for all edges at once \
         (Syed et al. 2023).",
    ),
    entry(
        "eap-ig",
        "EAP-IG",
        "EAP with the mean of the gradients while the token embeddings move from one run to the other (Hanna et al. 2024). \
         Still an estimate, however good the mean is.",
    ),
    entry(
        "circuit",
        "circuit",
        "A set of edges that is said to make the behaviour. It is tested by keeping them and patching all others.",
    ),
    entry(
        "faithfulness",
        "faithfulness",
        "How much of the gap is there when a circuit alone is kept: 1 is the clean run, 0 the corrupted one.",
    ),
    entry(
        "cpr",
        "CPR and CMD",
        "Faithfulness over circuits of all sizes as one number (Mueller et al. 2025): CPR is the area under the curve, CMD \
         the area between it and 1.",
    ),
    entry(
        "marked",
        "marked heads",
        "Those whose absolute score is among the largest tenth by a method, unless you choose another threshold under Agreement.",
    ),
    entry(
        "bos",
        "BOS",
        "A token in front of both prompts that says where the text begins, as TransformerLens puts it there.",
    ),
];

/// The entry of an id.
pub(crate) fn find(id: &str) -> Option<Entry> {
    ENTRIES.iter().copied().find(|entry| entry.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_term_has_a_name_of_its_own_and_whole_sentences() {
        let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
        for Entry { id, name, means } in ENTRIES {
            assert!(ids.insert(id) && names.insert(name), "{name} is there twice");
            assert!(means.ends_with('.') && !means.contains("  "), "{name}: {means}");
            assert!((20..=260).contains(&means.len()), "{name} takes {} bytes", means.len());
        }
        assert_eq!(find("ig").map(|entry| entry.name), Some("integrated gradients (IG)"));
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn what_the_page_links_is_there() {
        for id in [
            "clean",
            "gap",
            "head",
            "ig",
            "ap",
            "interaction",
            "noising",
            "logit-difference",
            "delta",
            "alpha",
        ] {
            assert!(find(id).is_some(), "{id}");
        }
    }
}
