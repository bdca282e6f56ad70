//! A program in place of `sbatch`: it runs what is submitted at once, one task after the other, by Slurm's rules.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What of Slurm the scripts use: an array's tasks with their numbers, a file per task for what they say, a job that
/// starts if all tasks of another ended with 0 and is cancelled if not, and submitted scripts that run as copies.
const SBATCH: &str = r#"#!/bin/bash
set -uo pipefail
home=$(cd "$(dirname "$0")" && pwd)
echo "$* " >>"$home/submitted"
job=$(($(cat "$home/jobs" 2>/dev/null || echo 0) + 1))
echo "$job" >"$home/jobs"
array='' after='' output=''
while [[ $1 == -* ]]; do
    case $1 in
    --array=*) array=${1#*=} ;;
    --dependency=afterok:*) after=${1##*:} ;;
    --output=*) output=${1#*=} ;;
    esac
    shift
done
cp "$1" "$home/slurm_script"
shift
task() {
    local log=${output//%A/$job}
    log=${log//%a/${SLURM_ARRAY_TASK_ID:-}}
    bash "$home/slurm_script" "$@" >>"${log//%j/$job}" 2>&1 </dev/null
    echo "$job${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID} $?" >>"$home/states"
}
if [[ -n $after ]] && grep -q "^${after}_.* [^0]" "$home/states"; then
    echo "$job cancelled" >>"$home/states"
elif [[ -n $array ]]; then
    array=${array%%%*}
    for ((place = ${array%-*}; place <= ${array#*-}; place++)); do
        SLURM_ARRAY_TASK_ID=$place SLURM_CPUS_PER_TASK=1 task "$@"
    done
else
    task "$@"
fi
echo "$job"
"#;

/// The program, and what it has run.
#[derive(Debug)]
pub(crate) struct Queue {
    folder: PathBuf,
}

/// Writes a program.
pub(crate) fn program(path: &Path, text: &str) {
    fs::write(path, text).expect("it can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be run");
}

impl Queue {
    pub(crate) fn new(folder: PathBuf) -> Self {
        program(&folder.join("sbatch"), SBATCH);
        Self { folder }
    }

    /// Has a command find it.
    pub(crate) fn has<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        let path = std::env::var_os("PATH").expect("a path");
        let path = [self.folder.clone()].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(path).expect("folders"))
    }

    /// How each job or task has ended, in order.
    pub(crate) fn states(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("states")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What was submitted.
    pub(crate) fn submitted(&self) -> String {
        fs::read_to_string(self.folder.join("submitted")).unwrap_or_default()
    }
}
