#!/bin/sh
# Captions for a folder in parts, as an array of Slurm jobs:
#
#     sbatch --array=0-15 samples/slurm_array.sh PHOTOS OUT
#     cat OUT.*.jsonl > OUT.jsonl
#
# A job that is requeued, or started again by hand, resumes where it stopped: limn gets a SIGTERM a
# minute before its time is up. Set LIMN to the program if it is not in PATH.
#SBATCH --job-name=limn
#SBATCH --cpus-per-task=2
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
set -eu
part=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT
exec "${LIMN:-limn}" -r --shard "$part" --threads "${SLURM_CPUS_PER_TASK:-1}" \
    -o "$2.$SLURM_ARRAY_TASK_ID.jsonl" "$1"
