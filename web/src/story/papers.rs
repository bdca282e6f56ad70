//! The papers that the methods are from, and the notebook that the comparison is from.

use leptos::prelude::*;

/// A paper, and what it is cited for.
struct Paper {
    authors: &'static str,
    year: u16,
    title: &'static str,
    address: &'static str,
    what_for: &'static str,
}

const PAPERS: &[Paper] = &[
    Paper {
        authors: "Sundararajan, Taly and Yan",
        year: 2017,
        title: "Axiomatic Attribution for Deep Networks",
        address: "https://arxiv.org/abs/1703.01365",
        what_for: "integrated gradients",
    },
    Paper {
        authors: "Vig, Gehrmann, Belinkov and others",
        year: 2020,
        title: "Causal Mediation Analysis for Interpreting Neural NLP: The Case of Gender Bias",
        address: "https://arxiv.org/abs/2004.12265",
        what_for: "activations replaced in one run by those of another",
    },
    Paper {
        authors: "Elhage, Nanda, Olsson and others",
        year: 2021,
        title: "A Mathematical Framework for Transformer Circuits",
        address: "https://transformer-circuits.pub/2021/framework/index.html",
        what_for: "heads and the residual stream",
    },
    Paper {
        authors: "Wang, Variengien, Conmy, Shlegeris and Steinhardt",
        year: 2022,
        title: "Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small",
        address: "https://arxiv.org/abs/2211.00593",
        what_for: "the task of the notebook’s pair, and path patching",
    },
    Paper {
        authors: "Hanna, Liu and Variengien",
        year: 2023,
        title: "How does GPT-2 compute greater-than?",
        address: "https://arxiv.org/abs/2305.00586",
        what_for: "the task of the years",
    },
    Paper {
        authors: "Nanda",
        year: 2023,
        title: "Attribution Patching: Activation Patching At Industrial Scale",
        address: "https://www.neelnanda.io/mechanistic-interpretability/attribution-patching",
        what_for: "attribution patching",
    },
    Paper {
        authors: "Syed, Rager and Conmy",
        year: 2023,
        title: "Attribution Patching Outperforms Automated Circuit Discovery",
        address: "https://arxiv.org/abs/2310.10348",
        what_for: "attribution patching of edges (EAP), compared",
    },
    Paper {
        authors: "Zhang and Nanda",
        year: 2023,
        title: "Towards Best Practices of Activation Patching in Language Models: Metrics and Methods",
        address: "https://arxiv.org/abs/2309.16042",
        what_for: "activation patching: metrics and corruptions",
    },
    Paper {
        authors: "Heimersheim and Nanda",
        year: 2024,
        title: "How to use and interpret activation patching",
        address: "https://arxiv.org/abs/2404.15255",
        what_for: "noising and denoising, AND and OR",
    },
    Paper {
        authors: "Hanna, Pezzelle and Belinkov",
        year: 2024,
        title: "Have Faith in Faithfulness: Going Beyond Circuit Overlap When Finding Model Mechanisms",
        address: "https://arxiv.org/abs/2403.17806",
        what_for: "EAP-IG, and the faithfulness of circuits",
    },
    Paper {
        authors: "Mueller, Geiger, Wiegreffe and others",
        year: 2025,
        title: "MIB: A Mechanistic Interpretability Benchmark",
        address: "https://arxiv.org/abs/2504.13151",
        what_for: "how circuits are run and compared: CPR and CMD",
    },
];

/// Where the notebook is (docs/METHODS.md#the-notebook).
pub(super) const NOTEBOOK: &str = "https://mwmlo.github.io/gradient_causal_knowledge/gpt2_ig_ap";

/// The papers, by year, and the notebook.
#[component]
pub(crate) fn Papers() -> impl IntoView {
    let items = PAPERS.iter().map(|paper| {
        let Paper { authors, year, title, address, what_for } = paper;
        view! {
            <li>
                {format!("{authors} ({year}). ")}
                <a href=*address target="_blank" rel="noopener">{*title}</a>
                {format!(": {what_for}.")}
            </li>
        }
    });
    view! {
        <div class="papers" data-testid="papers">
            <ul>{items.collect_view()}</ul>
            <p>
                "The comparison was begun in "
                <a href=NOTEBOOK target="_blank" rel="noopener">
                    "Integrated Gradients vs Activation Patching in GPT2-Small"
                </a>
                ", which this page calls the notebook."
            </p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn papers_are_in_order_each_with_an_address_of_its_own() {
        assert!(PAPERS.is_sorted_by_key(|paper| paper.year));
        for (place, paper) in PAPERS.iter().enumerate() {
            assert!(paper.address.starts_with("https://"), "{}", paper.title);
            assert!(PAPERS[..place].iter().all(|other| other.address != paper.address));
        }
    }
}
