"""Mail about a job: when it is ready, with what a person does then, and when it has ended. `letters.py PLAN.json`.

Slurm's own mail comes when a job begins, which is before ParaView is there, and knows neither host nor port.
"""

from __future__ import annotations

import email.message
import json
import os
import smtplib
import subprocess
import sys
from pathlib import Path
from typing import Any

# A mail server that does not answer keeps nobody waiting but this process.
PATIENCE = 30.0

_READY = """\
Your ParaView server is ready: job {number} at {site}, {words}.

  host        {host}
  port        {port}
  ParaView    {version} (yours must be {version}, too)
  until       its time is over, or nobody has been connected for {grace}

From a notebook:

  import pvlink
  session = pvlink.start()
  session.connect(pvlink.attach("{number}"))

From ParaView's own window, with pvlink installed:

  pvlink connect {number}

and follow what it says. Without pvlink, on Linux, macOS and Windows alike (in a terminal; on Windows 10 or newer that
is "Command Prompt"):

  1. ssh {login} cat {place}/status
     shows, behind "connect_id", the number that opens the server's door. It is for you only.
  2. ssh -N -L 11111:{host}:{port} {login}
     makes the way; leave it running.
  3. paraview --connect-id=THAT_NUMBER --server-url=cs://localhost:11111
     (macOS: /Applications/ParaView-{version}.app/Contents/MacOS/paraview; Windows: paraview.exe, with the same words)

To end it: pvlink cancel {number}
"""
_ENDED = """\
Your ParaView server has ended: job {number} at {site}, {words}.

{why}

What it wrote is in {place}: job.log, server.log.
"""
_WHY = {
    "asked": "It was cancelled, or its time was over.",
    "grace": "Nobody had been connected for as long as it was to wait.",
    "limit": "Its time was over.",
}


def letter(plan: dict[str, Any], status: dict[str, Any]) -> email.message.EmailMessage:
    """What is written about a job that stands like this."""
    mail = plan["mail"]
    ended = status["state"] == "ended"
    number = os.environ.get("SLURM_JOB_ID") or plan["key"]
    facts = {**plan, **mail, **status, "number": number, "grace": mail["grace_words"]}
    if ended:
        why = status["why"]
        by_itself = f"It ended by itself ({why}). Its last words:\n\n{status.get('said', '')}".rstrip()
        facts["why"] = _WHY.get(why, by_itself)
    found = email.message.EmailMessage()
    found["Subject"] = f"ParaView at {mail['site']}: job {number} {'has ended' if ended else 'is ready'}"
    found["From"], found["To"] = mail["sender"], mail["to"]
    found["Auto-Submitted"] = "auto-generated"
    found.set_content((_ENDED if ended else _READY).format(**facts))
    return found


def send(mail: dict[str, Any], message: email.message.EmailMessage) -> None:
    """By a mail server, or by sendmail."""
    if mail["smtp"]:
        host, _, port = mail["smtp"].rpartition(":")
        with smtplib.SMTP(host or mail["smtp"], int(port) if host else 25, timeout=PATIENCE) as server:
            server.send_message(message)
        return
    # The address goes with the letter (-t), not as a word.
    subprocess.run([mail["sendmail"], "-t", "-i"], input=bytes(message), timeout=PATIENCE, check=True)


def main(plan: str) -> None:
    facts = json.loads(Path(plan).read_text())
    status = json.loads((Path(plan).parent / "status").read_text())
    try:
        send(facts["mail"], letter(facts, status))
    except (OSError, smtplib.SMTPException, subprocess.SubprocessError) as error:
        # Into job.log.
        sys.exit(f"pvlink: the letter to {facts['mail']['to']} was not sent: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
