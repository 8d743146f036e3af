#!/usr/bin/env bash
# One night with the control planes of the fault lab, on this machine: what happens, and what a
# person sees of it. docs/operate.md has what one run printed.
#
#   docs/night.sh [--pictures FOLDER]
#
#   --pictures FOLDER   takes pictures of the status page as well, which needs chromium-headless-shell,
#                       and draws the dashboard
#
# Needs what ./lab needs: Linux, root and Go. Takes five minutes, and some more the first time.
# An alert waits for a fifteenth of its time: 20 s where its rule says "for: 5m".
# Exit code: 0 as expected, 1 not as expected, 2 wrong usage, 130 interrupted.
set -euo pipefail
cd "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")"

pictures=
case "${1-}" in
  '') ;;
  --pictures)
    [ $# = 2 ] && [ -d "$2" ] || { echo "error: --pictures needs a folder" >&2; exit 2; }
    pictures=$(readlink -f "$2")
    ;;
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' docs/night.sh; exit 0 ;;
  *) echo "error: unknown argument $1; --help lists the flags" >&2; exit 2 ;;
esac

trap './lab down >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM HUP

# What happens, and when.
now() { printf '\n%s  %s\n' "$(date --utc +%T)" "$*"; }
# What a person types, and what it prints. A status that says what to look at is no error.
see() {
  printf '\n$ %s\n' "$*"
  ./lab "$@" || [ $? = 1 ]
}
# The alert of that name fires, or does not any more.
fires() { ./lab alerts | grep --quiet -- "  -  .* ApiserverUpdater$1"; }
resolved() { ! fires "$1"; }
# Waits until a command succeeds, for at most two minutes.
await() {
  local end=$((SECONDS + 120))
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      now "NOT AS EXPECTED: $*"
      ./lab alerts || true
      exit 1
    fi
    sleep 1
  done
}

./lab up
./lab prometheus
now "All is well."
see kubectl apiserver-updater status

now "Somebody takes cp2 out to look at it, and puts it back."
see kubectl apiserver-updater drain 172.30.1.2 --for 30m
see kubectl apiserver-updater status
see kubectl apiserver-updater undrain 172.30.1.2

# The alert below compares what there is with what there was at the full minutes of the last day.
sleep 60
now "Packets from and to cp2 vanish, and the apiserver of cp3 is killed."
./lab fault black-hole cp2
./lab fault sigkill cp3
sleep 3
see kubectl apiserver-updater status
await fires MemberMissing
./lab heal
await resolved MemberMissing

now "cp3 gets a new certificate, which is good for 12 days instead of a year. The leader is killed, and
nobody starts it again for now. A firewall drops what the updaters send to cp2."
./lab fault certificate cp3
./lab fault leader-kill
./lab fault updater-cut-off cp2
for alert in MemberUnready CertificateExpiring NoStandby; do
  await fires "$alert"
done
see kubectl apiserver-updater status
if [ -n "$pictures" ]; then
  pod=$(./lab kubectl -n kube-system get lease apiserver-updater -o 'jsonpath={.spec.holderIdentity}')
  address=$(./lab kubectl -n kube-system get pod "${pod%%_*}" -o 'jsonpath={.status.podIP}')
  ./lab shell src/test/status-pictures "http://$address:8080/?pause" "$pictures"
fi
./lab heal
for alert in MemberUnready CertificateExpiring NoStandby; do
  await resolved "$alert"
done

now "What the night was like."
see kubectl -n kube-system describe service apiserver
see alerts
[ -z "$pictures" ] || ./lab dashboard "$pictures/night-dashboard.svg"
