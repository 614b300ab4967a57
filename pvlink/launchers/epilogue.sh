#!/bin/bash
# Epilog= in slurm.conf. Jobs of pvlink's clear up after themselves; this is for one that was killed to the last process.
# It touches what bears the ended job's number only.
[ -n "$SLURM_JOB_ID" ] || exit 0
for process in /proc/[0-9]*; do
    environment=$(tr '\0' '\n' <"$process/environ" 2>/dev/null) || continue
    if grep -qx "SLURM_JOB_ID=$SLURM_JOB_ID" <<<"$environment" && grep -q '^PVLINK_JOB=' <<<"$environment"; then
        kill -KILL "${process#/proc/}" 2>/dev/null
    fi
done
# Where [files] scratch of a site is not /tmp, name that, too.
for place in /tmp; do
    for folder in "$place"/pvlink-[0-9]*-*; do
        [ "$(cat "$folder/job" 2>/dev/null)" = "$SLURM_JOB_ID" ] && rm -rf "$folder"
    done
done
exit 0
