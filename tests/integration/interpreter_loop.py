"""Run as a process: takes code, one JSON string a line, and answers what came of it. Any Python from 3.9 on."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import sys
import traceback
from typing import Any


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1])).makefile("rw")
    # A kernel's hooks, such as the end of a cell, are IPython's.
    shell = _shell() if "--ipython" in sys.argv else None
    space: dict[str, Any] = shell.user_ns if shell is not None else {"__name__": "__main__"}
    for code in line:
        space["answer"] = None
        out, err, wrong = io.StringIO(), io.StringIO(), None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                if shell is None:
                    exec(compile(json.loads(code), "<cell>", "exec"), space)  # noqa: S102 - that is what it is for
                else:
                    ran = shell.run_cell(json.loads(code))
                    wrong = _sentence(ran.error_before_exec or ran.error_in_exec)
            except BaseException as error:  # noqa: BLE001 - all of it is the test's
                wrong = _sentence(error)
                traceback.print_exc()
        said = {"out": out.getvalue(), "err": err.getvalue(), "wrong": wrong, "answer": space["answer"]}
        line.write(json.dumps(said, default=list) + "\n")
        line.flush()


def _sentence(error: BaseException | None) -> list[str] | None:
    return None if error is None else [type(error).__name__, str(error)]


def _shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell

    shell: Any = InteractiveShell.instance(colors="nocolor", history_length=0)
    shell.history_manager.enabled = False
    return shell


main()
