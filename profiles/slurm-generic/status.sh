#!/bin/sh
# State of a Slurm job, as Snakemake's cluster-generic executor wants it: running, success or failed.
#
#   status.sh JOB
#
# Accounting is asked first, as it never forgets; then the controller, which forgets a job some
# minutes after its end (MinJobAge). Where neither answers, the job goes on; where the controller
# answers that it does not know the job, it is lost, and is submitted again.

job=$1

state=$(sacct --allocations --noheader --parsable2 --format=State --jobs="$job" 2>/dev/null | head -n 1)
if [ -z "$state" ]; then
    answer=$(scontrol --oneliner show job "$job" 2>&1)
    state=$(printf '%s\n' "$answer" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1)
    case $answer in
        *"Invalid job id"*) state=LOST ;;
    esac
fi

case $state in
    COMPLETED*) echo success ;;
    "" | PENDING* | CONFIGURING* | RUNNING* | COMPLETING* | STAGE_OUT* | SUSPENDED* | STOPPED* | \
        REQUEUE* | RESIZING* | SIGNALING* | SPECIAL_EXIT*) echo running ;;
    *) echo failed ;;
esac
