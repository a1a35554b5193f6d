#!/bin/sh
# rolling-restart.sh - restarts the containers of a balancer's members, one after the other, while requests go on. A sample: copy and adapt it.
#   rolling-restart.sh MEMBER..
# It ends with the first thing that goes wrong, and says at which member; what was drained then stays out of service.
#
# What may be set in the environment:
#   JKCTL_URL   the status worker's page
#   DRAIN       options of jkctl drain. With --force sessions that are still in use go to other members when the time is over: right where
#               they are replicated. Without it the script ends there, and nothing was stopped
#   STOP START  what stops and starts the container of the member $1, and comes back when that is done
#   READY       succeeds when it answers
#   PATIENCE    so many seconds READY may take
set -u
DRAIN=${DRAIN:---wait 5m --idle 10s --force}
STOP=${STOP:-'systemctl stop "tomcat@$1"'}
START=${START:-'systemctl start "tomcat@$1"'}
READY=${READY:-'jkping 127.0.0.1:8009'}
PATIENCE=${PATIENCE:-120}
JKCTL=${JKCTL:-jkctl}

fail() { echo "$0: $member: $1" >&2; exit 1; }
run() { sh -c "$1" sh "$member"; }

await_ready() {
    end=$(($(date +%s) + PATIENCE))
    until run "$READY" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 1
    done
}

[ $# -gt 0 ] || { echo "usage: $0 MEMBER.." >&2; exit 64; }
for member in "$@"; do
    # shellcheck disable=SC2086
    $JKCTL drain "$member" $DRAIN || fail "is not drained; jkctl enable $member takes it back"
    run "$STOP" || fail "did not stop"
    run "$START" || fail "did not start"
    await_ready || fail "does not answer; it stays out of service"
    $JKCTL enable "$member" || fail "answers, and is not enabled"
done
