#!/bin/sh
# State of a Slurm job, as Snakemake's cluster-generic executor wants it: running, success or failed.
#
#   status.sh JOB
#
# Accounting is asked first, as it never forgets; then the controller, which forgets a job some
# minutes after its end (MinJobAge). Where neither answers, the job goes on; where the controller
# answers that it does not know the job, it is lost, and is submitted again. A job that would wait for
# ever, as it requests more than a single job may have, is cancelled and has failed.

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
    PENDING*)
        request=$(squeue --noheader --jobs="$job" --format="%P %r %j (%l, %m, partition %P)" 2>/dev/null)
        partition=${request%% *} request=${request#* }
        reason=${request%% *}
        # Those of https://slurm.schedmd.com/job_reason_codes.html that do not pass: PartitionNodeLimit
        # is not among them, as it is also the reason while nodes are down. Of several partitions,
        # the reason is that of one, and another may start the job.
        case $partition/$reason in
            *,*/*) ;;
            */PartitionTimeLimit | */MaxMemPerLimit | */BadConstraints | *PerJob* | *PerNode*)
                scancel "$job"
                state=CANCELLED
                # The job's log, which Slurm did not begin, is where the end of the run looks.
                echo "exp-to-source: ${request#* }: Slurm would never start it ($reason); request less" \
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
