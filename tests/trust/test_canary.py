"""Secrets of a real run, looked for wherever a run leaves something: not one is found."""

from __future__ import annotations

import base64
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from jupyter_server.services.contents.largefilemanager import LargeFileManager

from tests.trust.house import House
from tests.trust.real import CANARY, SCENE, Real, needs_paraview, real

# Without types of their own.
nbformat: Any = importlib.import_module("nbformat")
nbconvert: Any = importlib.import_module("nbconvert")

pytestmark = [pytest.mark.trust, needs_paraview]


def forms(secret: str | bytes) -> dict[str, bytes]:
    """How a secret may stand in a file."""
    raw = secret.encode() if isinstance(secret, str) else secret
    found = {
        "raw": raw,
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "utf-16": raw.decode("latin-1").encode("utf-16-le"),
        "url": quote(raw, safe="").encode(),
        "url, all of it": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "url+": quote_plus(raw).encode(),
        "json": json.dumps(raw.decode("latin-1"))[1:-1].encode(),
    }
    for shift in range(3):
        # In the middle of something else: without the first and last letters, which depend on the neighbours.
        text = base64.b64encode(b"\0" * shift + raw)[(0, 2, 3)[shift] :]
        text = text.rstrip(b"=")[: -1 if (len(raw) + shift) % 3 else None]
        found[f"base64, {shift}"] = text
        found[f"base64url, {shift}"] = text.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def hits(secrets: dict[str, str | bytes], places: dict[str, bytes]) -> list[str]:
    return [
        f"{what} ({form}) in {where}"
        for what, secret in secrets.items()
        for form, text in forms(secret).items()
        for where, data in places.items()
        if text in data
    ]


def test_the_search_finds_what_is_there() -> None:
    for secret in (CANARY, "kJ9_-x", bytes(range(200, 240))):
        raw = secret.encode() if isinstance(secret, str) else secret
        for shift in range(6):
            padded = b"x" * shift + raw + b"yz"
            for data in (padded, padded.hex().encode(), base64.b64encode(padded), base64.urlsafe_b64encode(padded)):
                assert hits({"it": secret}, {"there": data}), (secret, shift)
            assert hits({"it": secret}, {"there": quote(padded).encode()})
    assert not hits({"it": CANARY}, {"there": b"nothing here" * 100})


# A notebook that shares, shows, fails and prints all it can about what it has, as an IPython that shows every value.
CELLS = [
    f"import pvlink\nsession = pvlink.start()\nfrom paraview.simple import *\n{SCENE}\nview",
    "with open({canary!r}) as file:\n    words = file.read().strip().split()",
    "share = view.share(password=words[0]); made = view.share(); _ = view.watching",
    "share",
    "print(share, repr(made), str(session), repr(view), made.url, made.fingerprint, view.stats)",
    "share.__reduce__()",
    "%xmode Verbose",
    "(lambda **options: view.share(port=-1, **options))(**dict(zip(['password'], words)))",
    "view.share(password=words[0], certificate='/nowhere', key='/nowhere')",
    "view.share(password=words[0], host='192.0.2.1')",
    "import json; print(json.dumps(view.get_state(), default=str)); session",
    "%whos",
    "import os; os.kill(session._streamer.pid, 9); session._streamer.process.wait()",
    "view.share(password=words[0])",
    "made.revoke(); view.watching",
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real(tmp_path_factory.mktemp("live")) as one:
        yield one


def secrets_of(live: Real) -> dict[str, str | bytes]:
    """What a session must keep to itself."""
    pem = (Path(os.environ["XDG_DATA_HOME"]) / "pvlink" / "certificate.pem").read_text()
    private = pem[pem.index("-----BEGIN PRIVATE KEY") :].splitlines()[1:-1]
    key = base64.b64decode("".join(private))
    return {
        "the user's password": CANARY,
        "the made-up password": str(live.cells.value("made.password")),
        # From the middle: what stands before it is the same in every key.
        "the certificate's key": key[40:64],
        "the key's text": private[1],
    }


def test_nothing_in_what_cells_show_and_in_the_processes(live: Real, tmp_path: Path) -> None:
    """Every message on iopub, argv, environ, logs, the runtime directory, traces that show every value."""
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    heard: list[bytes] = []
    listening = True
    take = live.cells._take

    def overhear(shown: object, message: object) -> bool:
        if listening:
            heard.append(json.dumps(message, default=str).encode())
        return take(shown, message)  # type: ignore[arg-type]

    live.cells._take = overhear  # type: ignore[method-assign]
    for cell in CELLS[1:12]:
        live.cells.run(cell.replace("{canary!r}", repr(str(secret))))
    # What this test asks for itself is not what a user's cells show.
    listening = False
    processes = live.processes
    places: dict[str, bytes] = {}
    for name, process in processes.items():
        places[f"argv of {name}"] = "\0".join(process.cmdline()).encode()
        places[f"environ of {name}"] = Path(f"/proc/{process.pid}/environ").read_bytes()
    for path in live.directory.rglob("*"):
        places[f"name of {path.name}"] = os.fsencode(path)
        if path.is_file():
            places[str(path)] = path.read_bytes()
    log = "session._streamer.log"
    places["the streamer's log"] = str(live.cells.value(f"{log}.tail(1 << 20)")).encode()
    engine = live.cells.run(
        "print(session._engine.output.stderr.tail(1 << 20), session._engine.output.stdout.tail(1 << 20))"
    )
    places["the engine's log"] = engine.out.encode()
    secrets = secrets_of(live)
    listening = True
    said = len(heard)
    for cell in CELLS[12:]:
        live.cells.run(cell)
    assert said > 20
    # The user's own line shows the user's own variable: that is what Verbose is for. Ours show nothing.
    text = b"\n".join(one for one in heard if not _shows_own_variable(one))
    assert hits(secrets, {**places, "iopub": text}) == []
    traces = [json.loads(one)["content"]["traceback"] for one in heard if b'"traceback"' in one]
    assert len(traces) >= 4
    ours = [frame for trace in traces for frame in trace if "pvlink/" in frame.splitlines()[0]]
    assert any("<password>" in frame for frame in ours)
    assert hits(secrets, {"our lines of a trace": "\n".join(ours).encode()}) == []


def _shows_own_variable(message: bytes) -> bool:
    return b'"traceback"' in message or b"Data/Info" in message


def test_nothing_in_a_saved_notebook_and_its_export(live: Real, tmp_path: Path) -> None:
    """Run as `jupyter execute` does, with checkpoints and an HTML page made of it."""
    secret = tmp_path / "secret"
    secret.write_text(CANARY)
    cells = [CELLS[0], *CELLS[1:5], "import asyncio; await asyncio.sleep(0)"]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.replace("{canary!r}", repr(str(secret)))) for cell in cells]
    )
    # The secret goes out by a file that only this test reads.
    out = tmp_path / "made"
    book.cells[-1].source += f"\nopen({str(out)!r}, 'w').write(made.password); session.stop()"
    path = tmp_path / "notebook.ipynb"
    nbformat.write(book, path)
    command = [
        sys.executable,
        "-P",
        "-c",
        "from nbclient.cli import main; main()",
        "--inplace",
        "--timeout=120",
        str(path),
    ]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, check=False, env=os.environ | {"PYTHONWARNINGS": ""}
    )
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    saved = path.read_bytes()
    assert b"pvlink share https://" in saved
    assert b"image/png" in saved
    html, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    manager = LargeFileManager(root_dir=str(tmp_path))
    manager.create_checkpoint("notebook.ipynb")
    checkpoints = list(tmp_path.glob(".ipynb_checkpoints/*"))
    assert len(checkpoints) == 1
    secrets: dict[str, str | bytes] = {"the user's password": CANARY, "the made-up password": out.read_text()}
    places = {"notebook": saved, "checkpoint": checkpoints[0].read_bytes(), "html": html.encode()}
    places |= {"stdout": ran.stdout, "stderr": ran.stderr}
    assert hits(secrets, places) == []


async def test_nothing_in_the_logs_of_jupyter_and_streamer(house: House) -> None:
    """At their most talkative, with all that goes right and wrong on the way in."""
    from tests.trust.house import close_code, greet, greeted, hello, say

    secrets: dict[str, str | bytes] = {"password": house.share["password"], "made up": house.second["password"]}
    secrets["jupyter's token"] = house.token
    for door in ("jupyter", "link", "unix"):
        for good in (True, False):
            grant = await house.grant(door)
            secrets[f"key {door} {good}"] = grant.key
            async with house.socket(door) as ws:
                answer, shown = await greeted(ws, grant)
                secrets[f"proof {door} {good}"] = shown
                await say(ws, hello({"secret": shown if good else answer.proof}))
                if not good:
                    await close_code(ws)
        async with house.socket(door) as ws:
            await greet(ws, grant.ticket)
            await close_code(ws)
    async with house.client("link", headers={"Origin": house.link_origin}) as http:
        for body in ({"password": "Wrong-" + house.share["password"]}, {"passwort": house.share["password"]}):
            async with http.post(house.address("link", "ticket"), data=json.dumps(body)) as answer_:
                assert answer_.status in (400, 403, 429)
    places = {"jupyter": house.jupyter_log.read_bytes(), "streamer": house.kernel.end().encode()}
    assert b"pvlink" in places["jupyter"]
    assert b"could not prove" in places["streamer"]
    # Jupyter prints the address to open, token and all, when it starts: its own decision, and its own terminal.
    places["jupyter"] = b"\n".join(line for line in places["jupyter"].splitlines() if b"?token=" not in line)
    assert hits(secrets, places) == []
