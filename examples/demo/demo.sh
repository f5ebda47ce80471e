#!/usr/bin/env bash
# The demo: two simulated RTSP cameras, the service with the demo model, a link to its dashboard, and a subscriber that
# prints every caption beside what the cameras really showed. Called by ./run demo once everything is built.
#   --seconds N   stop after so many (default: until Ctrl-C)      --json   JSON lines, the summary last
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
programs=${PALISADE_BUILD:-build/release}
folder=$(mktemp -d "${TMPDIR:-/tmp}/palisade-demo.XXXXXX")
events=ipc://$folder/events
children=()

stop() {
  trap - EXIT INT TERM
  local child
  for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
  for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap stop EXIT
trap 'interrupted=1' INT TERM
interrupted=0

give_up() {
  echo "demo: $1" >&2
  tail -n 5 "$2" >&2
  exit 1
}

"$programs/examples/palisade-camera" --port 0 --cameras 2 --truth "$folder/truth.jsonl" \
  > "$folder/cameras" 2> "$folder/camera.log" &
children+=($!)
for _ in $(seq 600); do
  [ "$(wc -l < "$folder/cameras")" -ge 2 ] && break
  kill -0 "${children[0]}" 2>/dev/null || give_up "the cameras did not start" "$folder/camera.log"
  sleep 0.1
done

# The dashboard's usual port, or any that is free.
port=8420
(exec 3<> /dev/tcp/127.0.0.1/$port) 2> /dev/null && port='*'

{
  echo "node: demo"
  echo "model: $PWD/configs/models/demo"
  echo "publish: $events"
  echo "state: $folder/state"
  echo "http: {listen: '127.0.0.1:$port'}"
  echo "streams:"
  while read -r url; do
    echo "  - name: ${url##*/}"
    echo "    url: $url"
    echo "    tasks:"
    echo "      - {task: caption, language: en, frames: 16, span: 4s, every: 2s}"
  done < "$folder/cameras"
} > "$folder/demo.yaml"

echo "Two simulated cameras and the service are starting."
"$programs/palisade" serve --config "$folder/demo.yaml" 2> "$folder/service.log" &
service=$!
children+=("$service")
link=
for _ in $(seq 1200); do
  link=$("$programs/palisade" open --state "$folder/state" 2> /dev/null) && break
  kill -0 "$service" 2> /dev/null || give_up "the service did not start" "$folder/service.log"
  sleep 0.1
done
[ -n "$link" ] || give_up "the dashboard did not start" "$folder/service.log"
echo "The dashboard: $link"
echo "In another terminal, while this runs:"
echo "  $programs/palisade watch --subscribe $events"
sed 's/^/  ffplay /' "$folder/cameras"
echo "Ctrl-C stops it all."
echo

"$programs/examples/palisade-scoreboard" --subscribe "$events" --truth "$folder/truth.jsonl" "$@" &
scoreboard=$!

# Whichever ends first ends the demo: the scoreboard after its time or at Ctrl-C, the service only by a fault.
status=0
wait -n "$scoreboard" "$service" || status=$?
if [ "$interrupted" = 0 ] && ! kill -0 "$service" 2>/dev/null; then
  kill -TERM "$scoreboard" 2>/dev/null || true
  give_up "the service ended" "$folder/service.log"
fi
kill -TERM "$scoreboard" 2>/dev/null || true
wait "$scoreboard" || status=$?
[ "$interrupted" = 1 ] && status=0
stop
exit "$status"
