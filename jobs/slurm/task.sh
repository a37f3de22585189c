#!/bin/bash
# Runs a command as a task of Slurm: passes the signal of the time limit on to it, and asks for
# another turn where that helps. `--requeue` alone does not start a killed task again.
"$@" &
pid=$!
trap 'kill -TERM "$pid" 2>/dev/null' TERM
wait "$pid"
code=$?
# A signal ends `wait`, but not the command.
while kill -0 "$pid" 2>/dev/null; do
    wait "$pid"
    code=$?
done
again=no
# 75: asked to stop with work left, or started too early. Above 128: killed by chance, or by a job,
# which is given up after three times.
[ "$code" -eq 75 ] && again=yes
[ "$code" -gt 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ] && again=yes
if [ "$again" = yes ]; then
    task="${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_JOB_ID:+_$SLURM_ARRAY_TASK_ID}"
    # Not if a user has cancelled it.
    [ "$(squeue --noheader --jobs "$task" --format %T)" = RUNNING ] && scontrol requeue "$task"
fi
exit "$code"
