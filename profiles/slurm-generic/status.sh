#!/bin/sh
# State of a Slurm job, as Snakemake's cluster-generic executor wants it: running, success or failed.
#
#   status.sh JOB
#
# The controller is asked; then accounting, as the controller forgets a job some minutes after its end
# (MinJobAge). Accounting alone would not do: while Slurm puts a job back into the queue, as it was
# preempted or its node is lost, it has the job as PREEMPTED or NODE_FAIL for a minute or two. A job
# that neither knows is lost, and is submitted again; if the controller does not respond, the job goes
# on. A job that would wait for ever, as it requests more than a single job may have, is cancelled and
# has failed.

job=$1

answer=$(timeout 60 scontrol --oneliner show job "$job" 2>&1)

# Value of a field of the answer.
field() {
    printf '%s\n' "$answer" | sed -n "s/.* $1=\([^ ]*\).*/\1/p" | head -n 1
}

state=$(field JobState)
case $answer in
    *"Invalid job id"*)
        state=$(timeout 60 sacct --allocations --noheader --parsable2 --format=State --jobs="$job" \
            2>/dev/null | head -n 1)
        state=${state:-LOST}
        ;;
esac

case $state in
    PENDING*)
        partition=$(field Partition) reason=$(field Reason)
        # Those of https://slurm.schedmd.com/job_reason_codes.html that do not pass: PartitionNodeLimit
        # is not among them, as it is also the reason while nodes are down. Of several partitions,
        # the reason is that of one, and another may start the job.
        case $partition/$reason in
            *,*/*) ;;
            */PartitionTimeLimit | */MaxMemPerLimit | */BadConstraints | *PerJob* | *PerNode*)
                scancel "$job"
                state=CANCELLED
                # The job's log, which Slurm did not begin, is where the end of the run looks.
                request="$(field JobName) ($(field TimeLimit), $(field MinMemoryNode), partition $partition)"
                echo "exp-to-source: $request: Slurm would never start it ($reason); request less" \
                    "with --resources runtime=MINUTES mem_mb=MB or --group-components, or choose" \
                    "another partition" | tee -a "logs/cluster/$job.log" >&2
                ;;
        esac
        ;;
esac

# States of https://slurm.schedmd.com/job_state_codes.html; in others, a job has not ended.
case $state in
    COMPLETED*) echo success ;;
    BOOT_FAIL* | CANCELLED* | DEADLINE* | FAILED* | LAUNCH_FAILED* | LOST | NODE_FAIL* | OUT_OF_MEMORY* | \
        PREEMPTED* | RECONFIG_FAIL* | REVOKED* | TIMEOUT*) echo failed ;;
    *) echo running ;;
esac
