#!/bin/bash -l
# A ParaView server of pvlink's: job 20261128-0a1b2c3d at oscar.
umask 077
export PVLINK_JOB=20261128-0a1b2c3d
mkdir -p /home/ann/.pvlink/jobs/20261128-0a1b2c3d && cd /home/ann/.pvlink/jobs/20261128-0a1b2c3d || exit 1
exec >job.log 2>&1
give_up() {
    printf '{"key": "%s", "state": "ended", "why": "setup", "said": "%s"}' "$PVLINK_JOB" "$1" >status.new && mv status.new status
    exit 1
}

python=
for each in python3 pvpython; do
    if "$each" -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then python=$each; break; fi
done
[ -n "$python" ] || give_up 'No Python 3.9 or newer was found (python3 and pvpython were tried). The site names one by paraview.python.'
command -v pvserver || give_up 'There is no pvserver after the lines of paraview.setup. The site names another one by paraview.pvserver, or what brings it by paraview.setup.'

# pvlink's part: it holds the server and its door.
mkdir -p lib/pvlink/launchers/node lib/pvlink/servers lib/pvlink/streamer/pvserver
: >lib/pvlink/__init__.py
: >lib/pvlink/launchers/__init__.py
: >lib/pvlink/launchers/node/__init__.py
: >lib/pvlink/servers/__init__.py
: >lib/pvlink/streamer/__init__.py
: >lib/pvlink/streamer/pvserver/__init__.py
cat >lib/steward.py <<'PVLINK-END-OF-PART'
import sys

sys.path.insert(0, "/home/ann/.pvlink/jobs/20261128-0a1b2c3d/lib")
from pvlink.launchers.node.steward import main

main("/home/ann/.pvlink/jobs/20261128-0a1b2c3d/plan.json")
PVLINK-END-OF-PART
cat >lib/rank.py <<'PVLINK-END-OF-PART'
import sys

sys.path.insert(0, "/home/ann/.pvlink/jobs/20261128-0a1b2c3d/lib")
from pvlink.launchers.node.rank import main

main(sys.argv[1:])
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/steward.py <<'PVLINK-END-OF-PART'
# launchers/node/steward.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/server.py <<'PVLINK-END-OF-PART'
# launchers/node/server.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/annex.py <<'PVLINK-END-OF-PART'
# launchers/node/annex.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/doors.py <<'PVLINK-END-OF-PART'
# launchers/node/doors.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/events.py <<'PVLINK-END-OF-PART'
# launchers/node/events.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/greetings.py <<'PVLINK-END-OF-PART'
# launchers/node/greetings.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/pipe.py <<'PVLINK-END-OF-PART'
# launchers/node/pipe.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/rank.py <<'PVLINK-END-OF-PART'
# launchers/node/rank.py
PVLINK-END-OF-PART
cat >lib/pvlink/launchers/node/letters.py <<'PVLINK-END-OF-PART'
# launchers/node/letters.py
PVLINK-END-OF-PART
cat >lib/pvlink/servers/chain.py <<'PVLINK-END-OF-PART'
# servers/chain.py
PVLINK-END-OF-PART
cat >lib/pvlink/servers/screen.py <<'PVLINK-END-OF-PART'
# servers/screen.py
PVLINK-END-OF-PART
cat >lib/pvlink/streamer/pvserver/handshake.py <<'PVLINK-END-OF-PART'
# streamer/pvserver/handshake.py
PVLINK-END-OF-PART
cat >lib/pvlink/streamer/pvserver/peers.py <<'PVLINK-END-OF-PART'
# streamer/pvserver/peers.py
PVLINK-END-OF-PART
cat >plan.json <<'PVLINK-END-OF-PART'
{
 "key": "20261128-0a1b2c3d",
 "place": "/home/ann/.pvlink/jobs/20261128-0a1b2c3d",
 "node": "/tmp/pvlink-20261128-0a1b2c3d",
 "launcher": [
  "mpirun",
  "--bind-to",
  "none",
  "-n",
  "4"
 ],
 "pvserver": "pvserver",
 "arguments": [],
 "ranks": 4,
 "display": "own",
 "ports": [
  0,
  0
 ],
 "grace": 600,
 "limit": 0,
 "python": [
  "python3",
  "pvpython"
 ],
 "engine": [
  "/home/ann/.pvlink/env/bin/python",
  "python3"
 ],
 "pvpython": "pvpython",
 "mail": null
}
PVLINK-END-OF-PART
exec "$python" -I -S /home/ann/.pvlink/jobs/20261128-0a1b2c3d/lib/steward.py </dev/null
