#!/bin/bash
# Runs a command as a task of Slurm: passes the time limit's signal on to it, and asks for another
# turn where that helps. `--requeue` alone starts no task again that was killed.
"$@" &
pid=$!
trap 'kill -TERM "$pid" 2>/dev/null' TERM
wait "$pid"
code=$?
# A signal ends `wait`, not the command.
while kill -0 "$pid" 2>/dev/null; do
    wait "$pid"
    code=$?
done
again=no
# 75: asked to stop with work left, or too early. Above 128: killed; by chance, or by a job that is put aside
# after three times.
[ "$code" -eq 75 ] && again=yes
[ "$code" -gt 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ] && again=yes
if [ "$again" = yes ]; then
    task="${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"
    # Not where somebody has cancelled it.
    [ "$(squeue --noheader --jobs "$task" --format %T)" = RUNNING ] && scontrol requeue "$task"
fi
exit "$code"
