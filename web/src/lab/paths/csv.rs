//! All edges as a table that other programs read: one edge a line.

use std::fmt::Write as _;

use twinbeam_core::circuits::Edge;

use crate::values::Edges;

const HEAD: &str = "from,to,eap,eap_ig,exact,unit,direction";

/// All edges of a direction, in the metric's unit; an effect that is not known is left empty.
pub(super) fn edges(edges: &Edges, unit: &str) -> String {
    let mut out = String::from(HEAD);
    out.push_str("\r\n");
    for number in 0..edges.exact.len() {
        let Edge { from, to } = edges.graph.edge(number);
        let (eap, ig) = (edges.estimates.eap[number], edges.estimates.eap_ig[number]);
        // OK because writing to a string does not fail.
        write!(out, "{from},{to},{eap},{ig},").ok();
        if edges.is_exact[number] {
            write!(out, "{}", edges.exact[number]).ok();
        }
        write!(out, ",{unit},{}\r\n", edges.direction().id()).ok();
    }
    out
}

#[cfg(test)]
mod tests {
    use twinbeam_core::wire::probes::Finding;
    use twinbeam_core::wire::probes::circuits::EdgeEffects;

    use super::*;
    use crate::values::{Answer, estimated};

    #[test]
    fn a_line_has_both_estimates_and_the_effect_if_it_is_known() {
        let (committed, answer) = estimated();
        let mut known = Edges::of(&answer, &committed).expect("as many as edges");
        let direction = known.direction();
        let first = EdgeEffects { direction, edges: vec![0], exact: vec![-0.5] };
        known.add(&Answer { found: Ok(Finding::PatchEdges(first)), ..answer }, 1.0);
        let csv = edges(&known, "logits");
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!((lines[0], lines.len()), (HEAD, 1 + known.exact.len()));
        assert_eq!(lines[1], "embed,L0H0.q,0,0,-0.5,logits,noising");
        assert!(lines[2].starts_with("embed,L0H0.k,") && lines[2].contains(",,logits,noising"));
    }
}
