"""A process that has the libraries imported, and forks for each run of Python.

Imports are most of the time that a job takes. A shim takes the place of Python in the runs of the
tests: it hands its arguments, environment and files to this process, and ends as the fork does.
Nothing of the project is imported here: each run has its own.

    ready.py FOLDER

makes ``FOLDER/python``, the shim, and listens until its standard input ends.
"""

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import stat
import sys
import traceback
from pathlib import Path
from typing import Any

#: Libraries of jobs and rules; not jwst, which looks at the environment when it is imported.
LIBRARIES = (
    *("jsonschema", "smart_open", "yaml", "jinja2", "matplotlib.figure", "gwcs"),
    *("astropy.table", "astropy.io.fits", "asdf", "stdatamodels.jwst.datamodels"),
    *("snakemake.cli", "snakemake.profiles", "snakemake.storage"),
    *("snakemake.report.html_reporter",),
)

#: Scripts that import them. The start of others takes less time than a fork.
SCRIPTS = (
    *("fingerprint_exposure", "verify_products", "draw_quicklook", "write_report"),
    "simulate_exposures",
)

SHIM = """#!/bin/sh
case "$1 $2" in
    "-m snakemake" | "- " | {scripts}) exec {python} -IS {client} "$@" ;;
    *) exec {python} "$@" ;;
esac
"""

CLIENT = """import json, os, signal, socket, sys
words = sys.argv[1:]
settings = {{name: os.environ[name] for name in os.environ if name.startswith("PYTHON")}}
if settings != {settings!r}:
    os.execv({python!r}, [{python!r}, *words])
request = json.dumps([words, dict(os.environ), os.getcwd(), os.umask(0o22)]).encode()
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [len(request).to_bytes(4)], [0, 1, 2])
server.sendall(request)
answers = server.makefile()
child = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: os.kill(child, number))
status = int(answers.readline() or 1)
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def run(words: list[str], environment: dict[str, str], folder: str, umask: int) -> None:
    """Be a run of Python: of a script, or of Snakemake."""
    os.chdir(folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if words[:2] == ["-m", "snakemake"]:
        sys.argv = ["snakemake", *words[2:]]
        sys.path[0] = folder
        sys.modules["snakemake.cli"].main()
    elif words == ["-"]:
        sys.argv = words
        sys.path[0] = folder
        exec(sys.stdin.read(), {"__name__": "__main__"})
    else:
        sys.argv = words
        sys.path[0] = str(Path(words[0]).parent)
        runpy.run_path(words[0], run_name="__main__")


def status_of(*request: Any) -> int:
    """Exit status of a run. To tear down all that was imported takes as long as a start."""
    try:
        run(*request)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def answer(connection: socket.socket) -> None:
    """Run what is asked for; end it if the one who asked has ended."""
    head, files, _, _ = socket.recv_fds(connection, 4, 3)
    size, data = int.from_bytes(head), b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os._exit(status_of(*json.loads(data)))
    connection.sendall(f"{child}\n".encode())
    with selectors.DefaultSelector() as selector:
        process = os.pidfd_open(child)
        selector.register(process, selectors.EVENT_READ)
        selector.register(connection, selectors.EVENT_READ)
        if process not in [key.fd for key, _ in selector.select()]:
            os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    connection.sendall(f"{status}\n".encode())
    os._exit(0)


def main() -> None:
    """Make the shim, answer requests."""
    folder = Path(sys.argv[1])
    shim, client, address = folder / "python", folder / "client.py", str(folder / "socket")
    for name in LIBRARIES:
        importlib.import_module(name)
    # Plugins and extensions are found, and what is there is shared by all that is forked.
    sys.modules["asdf"].AsdfFile()
    sys.modules["snakemake.cli"].get_argument_parser()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector:
        server.bind(address)
        server.listen(64)
        settings = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        client.write_text(CLIENT.format(python=sys.executable, address=address, settings=settings))
        scripts = " | ".join(f"*/{name}.py\\ *" for name in SCRIPTS)
        shim.write_text(SHIM.format(python=sys.executable, client=client, scripts=scripts))
        shim.chmod(stat.S_IRWXU)
        sys.executable = str(shim)
        print(flush=True)
        # Nobody waits for those who answer.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        selector.register(server, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while sys.stdin not in [key.fileobj for key, _ in selector.select()]:
            connection, _ = server.accept()
            if not os.fork():
                server.close()
                answer(connection)
                return
            connection.close()


if __name__ == "__main__":
    main()
