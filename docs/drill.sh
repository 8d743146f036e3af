#!/usr/bin/env bash
# Stops one apiserver of your cluster, shows what the updater and a client make of it, and starts
# the apiserver again. docs/drill.md explains it.
#
#   docs/drill.sh [FLAG...] ADDRESS     ADDRESS: the control plane, as the EndpointSlice has it
#
#   --host NAME         the control plane's name for ssh (default: ADDRESS)
#   --from NAME         make the requests on this host (default: on this machine)
#   --remote COMMAND    what runs a shell on a host (default: ssh)
#   --sudo              become root on the control plane with "sudo -n"
#   --by-hand           no ssh to the control plane: show what to run there, and wait
#   --manifest FILE     of the static pod (default: /etc/kubernetes/manifests/kube-apiserver.yaml)
#   --stop COMMAND      instead of moving the manifest aside, for example: systemctl stop kube-apiserver
#   --start COMMAND     what takes --stop back
#   --hold SECONDS      how long the apiserver stays away once it is out of the slice (default: 15)
#   --limit SECONDS     after so long the control plane starts its apiserver by itself (default: 300)
#   --expect SECONDS    how long requests may fail (default: 2)
#   --kubectl COMMAND   kubectl with its flags (default: kubectl)
#   --namespace NAME    of the Service (default: kube-system)
#   --service NAME      (default: apiserver)
#   --yes               do not ask
#
# Needs kubectl here, curl where the requests are made, and setsid on the control plane.
# Exit code: 0 as expected, 1 not as expected, 2 refused: nothing was stopped, 130 interrupted.
set -euo pipefail

host='' from='' remote=ssh become='sh -s' by_hand=false yes=false
manifest=/etc/kubernetes/manifests/kube-apiserver.yaml
stop='' start='' hold=15 limit=300 expect=2
# On the control plane: who starts the apiserver there when the limit is over.
guard=/run/apiserver-drill.pid
kubectl=kubectl namespace=kube-system service=apiserver lease=apiserver-updater

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; }
say() { printf '%s\n' "$@"; }
refuse() {
  printf 'refused: %s\n' "$*" >&2
  exit 2
}

address=
while [ $# -gt 0 ]; do
  case "$1" in
    --sudo) become='sudo -n sh -s' ;;
    --by-hand) by_hand=true ;;
    --yes) yes=true ;;
    -h | --help) usage; exit 0 ;;
    --host | --from | --remote | --manifest | --stop | --start | --hold | --limit | --expect | \
      --kubectl | --namespace | --service)
      [ $# -gt 1 ] || refuse "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    -*) refuse "unknown flag $1; --help lists the flags" ;;
    *)
      [ -z "$address" ] || refuse "one control plane at a time, not $address and $1"
      address=$1
      ;;
  esac
  shift
done
[ -n "$address" ] || refuse "which control plane? --help shows how to say it"
if { [ -n "$stop" ] && [ -z "$start" ]; } || { [ -z "$stop" ] && [ -n "$start" ]; }; then
  refuse "--stop and --start belong together"
fi
for number in "$hold" "$limit" "$expect"; do
  [[ $number =~ ^[0-9]+$ ]] || refuse "expected whole seconds, found $number"
done
host=${host:-$address}

k() {
  local command
  read -ra command <<<"$kubectl"
  "${command[@]}" --request-timeout=3s "$@"
}
# What is to be typed where, in quotes for a shell.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }
# A shell on a host. It reads what to run.
on() {
  local command
  read -ra command <<<"$remote"
  # shellcheck disable=SC2086 # More than one word.
  "${command[@]}" "$1" $2 3>&-
}

# A line for each member: its address, and true or false.
members() {
  k -n "$namespace" get endpointslices -l "kubernetes.io/service-name=$service" -o \
    jsonpath='{range .items[*]}{range .endpoints[*]}{.addresses[0]} {.conditions.ready}{"\n"}{end}{end}'
}
# Whether a member is in rotation in this state. One that stops gracefully leaves the slice.
in_rotation() { grep --quiet --line-regexp --fixed-strings "$1 true" <<<"$2"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
seconds() { printf '%d.%02d' $(($1 / 1000)) $(($1 % 1000 / 10)); }

# Until the control plane is in rotation, or out of it; tells each change of the slice on the way.
# Arguments: in or out, limit in seconds. Sets $took, in milliseconds.
await_member() {
  local began now last='' state found
  began=$(milliseconds)
  while true; do
    now=$(milliseconds)
    took=$((now - began))
    # The server that kubectl asks may refuse one call.
    if state=$(members 2>/dev/null) && [ -n "$state" ]; then
      if [ "$state" != "$last" ]; then
        say "$(seconds $took) s  $(tr '\n' ' ' <<<"$state" | sed 's/ true/ ready,/g; s/ false/ NOT READY,/g; s/, *$//')"
        last=$state
      fi
      if in_rotation "$address" "$state"; then found=in; else found=out; fi
      [ $found != "$1" ] || return 0
    fi
    [ $took -lt $(($2 * 1000)) ] || return 1
    sleep 0.1
  done
}

# ---- What must be so before anything is stopped.
service_address=$(k -n "$namespace" get service "$service" -o jsonpath='{.spec.clusterIP} {.spec.ports[0].port}') ||
  refuse "there is no Service $namespace/$service"
read -r cluster_ip port <<<"$service_address"
before=$(members) || refuse "the slices of $namespace/$service cannot be read"
ready=$(grep --count ' true$' <<<"$before" || true)
[ "$ready" -ge 2 ] || refuse "$ready members are ready; stopping one needs at least two:
$before"
! grep --quiet ' false$' <<<"$before" || refuse "a member is not ready already:
$before"
in_rotation "$address" "$before" || refuse "$address is not among the members:
$before"
server=$(k config view --minify -o jsonpath='{.clusters[0].cluster.server}')
for word in $kubectl; do
  case "$word" in
    https://*) server=$word ;;
    --server=*) server=${word#--server=} ;;
  esac
done
server=${server#*://}
server=${server%%/*}
server=${server%:*}
if [ "$server" = "$address" ] || getent ahosts "$server" 2>/dev/null | grep --quiet "^$address "; then
  refuse "kubectl itself uses $address; give it another server: --kubectl 'kubectl --server https://ANOTHER:6443'"
fi
renewed() { k -n "$namespace" get lease "$lease" -o jsonpath='{.metadata.resourceVersion}'; }
first=$(renewed) || refuse "there is no Lease $namespace/$lease: does the updater run?"
sleep 3
[ "$(renewed)" != "$first" ] || refuse "nobody has renewed the Lease $namespace/$lease for 3 s: does the updater run?"

if [ -z "$stop" ]; then
  aside=$(dirname "$(dirname "$manifest")")/$(basename "$manifest").drill
  stop="[ -f $manifest ] && [ ! -e $aside ] && mv $manifest $aside"
  start="[ ! -e $aside ] || mv $aside $manifest"
fi

work=$(mktemp -d)
stopped=false
pause=
put_back() {
  $stopped || return 0
  if $by_hand; then
    say "Now run this on $host, as root:" "" "    $start" ""
    stopped=false
    return 0
  fi
  local attempt
  for attempt in 1 2 3; do
    if on "$host" "$become" <<END; then
if [ -e $guard ]; then
  kill -- "-\$(cat $guard)" 2>/dev/null || true
  rm -f $guard
fi
$start
END
      stopped=false
      return 0
    fi
    say "attempt $attempt to start the apiserver on $host failed"
    sleep 1
  done
  say "$host starts its apiserver by itself $limit s after it was stopped. Or run there, as root: $start"
  return 1
}
end() {
  local status=$?
  trap - EXIT
  # A second Ctrl-C must not keep the apiserver away.
  trap '' INT TERM HUP
  [ -z "$pause" ] || kill "$pause" 2>/dev/null || true
  { exec 3>&-; } 2>/dev/null
  put_back || status=1
  rm -rf "$work"
  exit "$status"
}
trap end EXIT
trap 'say "interrupted"; exit 130' INT TERM HUP

# ---- The requests: a new connection every 100 ms, whose certificate is verified.
authority=$(k config view --raw --minify -o jsonpath='{.clusters[0].cluster.certificate-authority-data}' | base64 -d)
if [ -z "$authority" ]; then
  authority=$(cat "$(k config view --minify -o jsonpath='{.clusters[0].cluster.certificate-authority}')") ||
    refuse "the kubeconfig has no CA certificate"
fi
name=kubernetes.default.svc
case "$cluster_ip" in *:*) cluster_ip="[$cluster_ip]" ;; esac
loop() {
  if [ -n "$from" ]; then on "$from" 'sh -s'; else sh -s; fi
}
# The loop ends when its input does, so it cannot outlive this script.
exec 3> >(exec 2>"$work/errors"; loop >"$work/requests")
cat >&3 <<END
ca=\$(mktemp)
echo $(quoted "$authority") >"\$ca"
one() {
  began=\$(date +%s%N)
  status=\$(curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' --cacert "\$ca" \
    --resolve '$name:$port:$cluster_ip' 'https://$name:$port/version')
  case "\$status" in
    200 | 401 | 403) echo "\$began ok" ;;
    *) echo "\$began failed \$status" ;;
  esac
}
command -v curl >/dev/null || echo "curl is not installed" >&2
(while true; do one & sleep 0.1; done) </dev/null &
loop=\$!
trap 'kill \$loop; rm -f "\$ca"' EXIT
END
sleep 2
ok=$(grep --count ' ok$' "$work/requests" || true)
if [ "$ok" -lt 5 ] || grep --quiet failed "$work/requests"; then
  cat "$work/errors" >&2
  refuse "of the requests to $cluster_ip:$port from ${from:-this machine}, $ok succeeded in 2 s, before anything was" \
    "stopped. A cluster IP works only on nodes and in pods: run this on a node, or choose one with --from"
fi

# ---- The drill.
say "Members of $namespace/$service, all ready: $(cut -d ' ' -f 1 <<<"$before" | tr '\n' ' ')"
say "Requests to $cluster_ip:$port from ${from:-this machine}: all succeed"
say "To be stopped: the apiserver of $address, on host $host, by"
say "    $stop"
if ! $yes; then
  read -r -p "Type $address to stop it: " answer || true
  [ "${answer-}" = "$address" ] || refuse "not confirmed"
fi
stopped=true
if $by_hand; then
  say "Now run this on $host, as root:" "" "    $stop" ""
else
  status=0
  on "$host" "$become" <<END || status=$?
set -e
if [ -e $guard ] && kill -0 "\$(cat $guard)" 2>/dev/null; then
  echo 'a drill is under way on this host' >&2
  exit 1
fi
# Whatever becomes of the one who drills, this host starts its apiserver again.
setsid sh -c $(quoted "sleep $limit; $start; rm -f $guard") >/dev/null 2>&1 </dev/null &
echo \$! >$guard
if ! { $stop; }; then
  kill -- "-\$(cat $guard)"
  rm -f $guard
  exit 1
fi
END
  case $status in
    0) ;;
    1)
      stopped=false
      refuse "$host did not stop its apiserver"
      ;;
    *)
      say "the connection to $host ended with $status; whether it stopped its apiserver is not known"
      exit 1
      ;;
  esac
fi
failed=false
# A person types more slowly.
patience=60
! $by_hand || patience=600
if await_member out $patience; then
  say "OUT of the slice after $(seconds "$took") s"
  # In the background, so that a signal ends it.
  sleep "$hold" 3>&- &
  pause=$!
  wait "$pause"
  pause=
else
  say "NOT OUT of the slice after $patience s"
  failed=true
fi
put_back || failed=true
if await_member in $((patience + 120)); then
  say "BACK in the slice after $(seconds "$took") s"
else
  say "NOT BACK in the slice after $((patience + 120)) s"
  failed=true
fi
sleep 2
exec 3>&-

# ---- What the requests saw. Their times are those of one clock, that of the host that made them.
all=$(wc -l <"$work/requests")
lost=$(grep --count failed "$work/requests" || true)
lasted=0
if [ "$lost" -gt 0 ]; then
  lasted=$(grep failed "$work/requests" | sort --numeric-sort |
    awk '{ if (NR == 1) first = $1; last = $1 } END { printf "%d", (last - first) / 1000000 }')
fi
say "REQUESTS: $all, FAILED: $lost, from the first to the last failure: $(seconds "$lasted") s, expected at most $expect s"
[ "$lasted" -le $((expect * 1000)) ] || failed=true
if $failed; then
  say "Not as expected. docs/drill.md says what to look at."
  exit 1
fi
say "As expected."
