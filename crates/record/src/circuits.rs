//! Scores of parts of heads and direct effects as lines of CSV, where they have been computed.

use twinbeam_core::wire::probes::Finding;
use twinbeam_core::wire::probes::circuits::{DirectEffects, DirectMap, PartMap};
use twinbeam_core::words::{ComponentKind, Method};

use crate::csv;

/// What the lines are, for the provenance above them.
pub(crate) fn said(findings: &[&Finding]) -> Vec<(&'static str, &'static str)> {
    let has = |is_it: fn(&Finding) -> bool| findings.iter().any(|found| is_it(found));
    let parts = has(|found| matches!(found, Finding::Parts(_))).then_some((
        "parts",
        "kinds q, k, v and pattern are heads' queries, keys, values and attention patterns, mlp_out whole MLPs, each \
         replaced by itself",
    ));
    let direct = has(|found| matches!(found, Finding::Direct(_))).then_some((
        "direct effects",
        "method direct is what goes straight to the logits, dla its estimate with the final LayerNorm frozen",
    ));
    parts.into_iter().chain(direct).collect()
}

/// A line per score. `unit`: the metric's; `shown`: what the screen multiplies a score by, and its unit.
pub(crate) fn lines(
    findings: &[&Finding],
    unit: &str,
    (factor, shown): (f32, &'static str),
) -> String {
    let mut out = String::new();
    let mut add = |kind: &str, method: &str, direction: &str, width: usize, values: &[f32]| {
        for (place, score) in values.iter().enumerate() {
            let [layer, index] = [place / width.max(1), place % width.max(1)];
            out += &csv::line([
                kind,
                method,
                direction,
                &layer.to_string(),
                &index.to_string(),
                &score.to_string(),
                unit,
                &(score * factor).to_string(),
                shown,
            ]);
        }
    };
    for found in findings {
        match found {
            Finding::Parts(maps) => {
                for map in maps {
                    let PartMap { part, direction, width, ap, ig, atp, .. } = map;
                    for (method, values) in [(Method::Ig, ig), (Method::Ap, ap), (Method::Atp, atp)]
                    {
                        add(part.id(), method.id(), direction.id(), *width, values);
                    }
                }
            }
            Finding::Direct(DirectEffects { direction, heads, mlps, neurons }) => {
                let n_layers = mlps.exact.len().max(1);
                let kinds: [(&str, &DirectMap); 3] = [
                    (ComponentKind::Heads.id(), heads),
                    ("mlps", mlps),
                    (ComponentKind::Neurons.id(), neurons),
                ];
                for (kind, DirectMap { exact, dla }) in kinds {
                    let width = exact.len() / n_layers;
                    add(kind, "direct", direction.id(), width, exact);
                    add(kind, "dla", direction.id(), width, dla.as_deref().unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use twinbeam_core::circuits::{Part, Port};
    use twinbeam_core::scores::Unit;
    use twinbeam_core::wire::probes::Probe;
    use twinbeam_core::words::Direction;

    use super::*;
    use crate::record::tests::record_in;
    use crate::{Looked, Record};

    const fn looked(probe: Probe, found: Finding) -> Looked {
        Looked { probe, found, unchecked: false }
    }

    #[test]
    fn parts_and_direct_effects_are_lines_beside_those_that_were_there() {
        let direction = Direction::Denoising;
        let map = |part| PartMap {
            part,
            direction,
            width: 2,
            ap: vec![1.0, -0.5, 0.0, 2.0],
            ig: vec![0.5; 4],
            atp: vec![0.25; 4],
            joint: vec![1.0; 2],
            convergence_delta: vec![0.0; 2],
        };
        let parts = Finding::Parts(vec![map(Part::Port(Port::Key)), map(Part::Pattern)]);
        let of = |exact: &[f32], dla| DirectMap { exact: exact.to_vec(), dla };
        let direct = Finding::Direct(DirectEffects {
            direction,
            heads: of(&[0.0, 1.0, 2.0, 3.0], Some(vec![0.0, 1.5, 2.0, 3.0])),
            mlps: of(&[4.0, 8.0], None),
            neurons: of(&[0.0; 16], None),
        });
        let lab = vec![
            looked(Probe::Parts { direction }, parts),
            looked(Probe::Direct { direction }, direct),
        ];
        let nothing = record_in(Unit::ShareOfGap);
        let before = nothing.csv();
        let csv = Record { lab, ..nothing }.csv();
        for line in [
            "k,ap,denoising,1,1,2,logits,0.5,of the gap",
            "k,ig,denoising,0,0,0.5,logits,0.125,of the gap",
            "pattern,atp,denoising,1,0,0.25,logits,0.0625,of the gap",
            "heads,direct,denoising,1,0,2,logits,0.5,of the gap",
            "heads,dla,denoising,0,1,1.5,logits,0.375,of the gap",
            "mlps,direct,denoising,1,0,8,logits,2,of the gap",
            "neurons,direct,denoising,1,7,0,logits,0,of the gap",
        ] {
            assert!(csv.contains(&format!("{line}\r\n")), "{line} in {csv}");
        }
        assert!(!csv.contains("mlps,dla"), "{csv}");
        assert!(csv.contains("# direct effects: ") && csv.contains("# parts: "), "{csv}");
        assert!(!before.contains(",direct,") && !before.contains("# parts"), "{before}");
        let lines = |csv: &str| csv.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines(&csv), lines(&before) + 24 + 8 + 2 + 16);
        // The first line says how many stand above the table.
        let n = csv.lines().take_while(|line| line.starts_with('#')).count();
        assert!(csv.starts_with(&format!("# {n} lines of provenance")), "{csv}");
    }
}
