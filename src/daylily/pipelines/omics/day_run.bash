# Runs daylily-omics-analysis in its clone: genome, then words for bin/day_run.
# The words of customers are arguments from beginning to end: nothing here evaluates them (D-35).
genome=$1
shift
words=("$@")
set --
if [ -f dyoainit ]; then
  . ./dyoainit --skip-project-check
else
  . ./dyinit
fi
. bin/day_activate slurm "$genome" remote
exec bash bin/day_run "${words[@]}"
