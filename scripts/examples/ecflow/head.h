#!/bin/bash
set -eu

export ECF_HOST=%ECF_HOST%
export ECF_PORT=%ECF_PORT%
export ECF_NAME=%ECF_NAME%
export ECF_PASS=%ECF_PASS%
export ECF_TRYNO=%ECF_TRYNO%
export ECF_RID=$$

ecflow_client --init=$$

# Tells the server that the task has failed; SIGTERM is handed to the program, which
# keeps what it has done and ends within 8 seconds.
failed() {
  trap - EXIT TERM INT
  ecflow_client --abort="$1"
  exit 1
}
trap 'failed "exit code $?"' EXIT
trap 'kill -TERM $(jobs -p) 2>/dev/null; wait; failed "terminated"' TERM INT
