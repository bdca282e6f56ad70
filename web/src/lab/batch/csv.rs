//! Means and spreads over pairs as a table that other programs read: one component a line.

use std::fmt::Write as _;

use twinbeam_core::scores::TableKey;
use twinbeam_core::scores::many::{Merged, MergedTable};
use twinbeam_core::words::{ComponentKind, Direction, Method};

const HEAD: &str =
    "kind,direction,layer,index,n_ig,mean_ig,sd_ig,n_ap,mean_ap,sd_ap,mean_ig_minus_ap,unit";

/// All kinds and directions that there are, in the metric's unit.
pub(super) fn means(merged: &Merged) -> String {
    let mut out = String::from(HEAD);
    out.push_str("\r\n");
    for kind in ComponentKind::ALL {
        for direction in Direction::ALL {
            let [ig, ap] = [Method::Ig, Method::Ap]
                .map(|method| merged.table(TableKey { kind, method, direction }));
            if let Some(any) = ig.or(ap) {
                for place in 0..any.mean.len() {
                    line(&mut out, merged, any, place, [ig, ap]);
                }
            }
        }
    }
    out
}

fn line(
    out: &mut String,
    merged: &Merged,
    any: &MergedTable,
    place: usize,
    both: [Option<&MergedTable>; 2],
) {
    let TableKey { kind, direction, .. } = any.key;
    let width = any.width.max(1);
    // OK because writing to a string does not fail.
    write!(out, "{},{},{},{}", kind.id(), direction.id(), place / width, place % width).ok();
    for table in both {
        let n = table.map_or(0, |table| table.n);
        let of = |values: fn(&MergedTable) -> &Vec<f32>| {
            table
                .and_then(|table| values(table).get(place))
                .map(ToString::to_string)
                .unwrap_or_default()
        };
        write!(out, ",{n},{},{}", of(|table| &table.mean), of(|table| &table.sd)).ok();
    }
    let mean = |table: Option<&MergedTable>| table.and_then(|table| table.mean.get(place)).copied();
    let difference = mean(both[0]).zip(mean(both[1])).map(|(ig, ap)| (ig - ap).to_string());
    write!(out, ",{},{}\r\n", difference.unwrap_or_default(), merged.metric.unit()).ok();
}

#[cfg(test)]
mod tests {
    use super::super::found::tests::merged;
    use super::*;

    #[test]
    fn a_line_has_both_methods_and_their_difference() {
        let csv = means(&merged(2));
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!((lines[0], lines.len()), (HEAD, 1 + 4));
        // IG 1 and 2, AP 1 and 1.
        assert!(lines[1].starts_with("heads,noising,0,0,2,1.5,0.70710677,2,1,0,0.5,"), "{csv}");
        assert!(lines.iter().all(|line| line.matches(',').count() == HEAD.matches(',').count()));
        // One pair has no spread.
        let one = means(&merged(1));
        assert!(one.contains("heads,noising,0,0,1,1,,1,1,,0,"), "{one}");
    }
}
