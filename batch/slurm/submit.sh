#!/bin/bash
# Runs a list of cases on Slurm: an array of shares, and a merge once all of them are done.
#
#   submit.sh SHARES FOLDER [OPTIONS OF SBATCH] -- OPTIONS OF COMPARE
#   submit.sh 100 results --time=2:00:00 -- --model gpt2 --cases pairs.csv --n-steps auto
#
# SHARES may say how many run at once, as Slurm writes it: 100%20. Options of sbatch are for the array; what is for both,
# as account and partition, is in SBATCH_ACCOUNT, SBATCH_PARTITION. TWINBEAM names the program where it is not on the path
# of the nodes. FOLDER gets part-1-of-100.json and so on, all.json, merged.json and logs/.
#
# To go on after a failure, submit the same again: shares that are done are not computed again.

set -euo pipefail

usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[[ $# -ge 3 && $1 =~ ^[1-9][0-9]*(%[1-9][0-9]*)?$ && $2 != -* ]] || usage
array=1-$1
shares=${1%%%*}
folder=$2
shift 2
of_sbatch=()
while [[ $# -gt 0 && $1 != -- ]]; do
    of_sbatch+=("$1")
    shift
done
[[ $# -ge 2 ]] || usage
shift

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$folder/logs"
# Jobs may begin elsewhere (--chdir), and Slurm reads % in a name as a pattern of its own.
folder=$(cd "$folder" && pwd)
logs=${folder//%/%%}/logs
compare=$(sbatch --parsable --array="$array" --output="$logs/%A_%a.log" ${of_sbatch[@]+"${of_sbatch[@]}"} \
    "$here/compare.sbatch" "$shares" "$folder" "$@")
# On a federation, the name of the cluster follows.
compare=${compare%%;*}
# After a share that died there is nothing to merge: the merge is cancelled, and does not wait for ever.
merge=$(sbatch --parsable --dependency=afterok:"$compare" --kill-on-invalid-dep=yes --output="$logs/%j.log" \
    "$here/merge.sbatch" "$shares" "$folder")
echo "array $compare, then merge ${merge%%;*}; what they say is in $folder/logs"
