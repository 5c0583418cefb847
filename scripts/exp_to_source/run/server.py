"""A process that has the imports done, from which jobs fork: imports are most of what a job costs.

The first job starts a server. Each job hands it its request, files, folder and environment; the
server forks, and the fork does the work. If a job is killed, so is its fork. If there is no server,
or it ends meanwhile, a job does the work itself. A server ends once nobody has asked for a while.
"""

import fcntl
import gc
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds without a request after which a server ends.
IDLE = 10

#: Seconds that a job has to send its request.
PATIENCE = 5

#: Beginnings of the names of environment variables that libraries look at when they are imported.
READ_AT_START = ("CRDS", "STPIPE", "PYTHON", "OMP", "MKL", "MPL", "OPENBLAS")

#: Bytes of the length that comes before a request.
HEAD = 4

Request = dict[str, Any]


def ask_server(start: list[str], request: Request) -> int | None:
    """Have a request done by a fork of a server, which is started if there is none.

    Parameters
    ----------
    start : list of str
        Command that starts the server; the address is added. Servers of other commands, of other
        environments, of other control groups (the jobs of a cluster) and of other users are not
        asked.
    request : dict
        What the server's function takes, as JSON has it.

    Returns
    -------
    int or None
        Exit status of the fork; None if no server did it.
    """
    if not hasattr(os, "pidfd_open"):
        # Linux has it.
        return None
    try:
        address = _address(start)
        with _connect(start, address) as connection:
            asked = json.dumps([request, dict(os.environ), os.getcwd(), os.umask(0o22)]).encode()
            socket.send_fds(connection, [len(asked).to_bytes(HEAD)], [0, 1, 2])
            connection.sendall(asked)
            with connection.makefile() as answer:
                line = answer.readline()
    except OSError:
        return None
    return int(line) if line else None


def _address(start: list[str]) -> str:
    """Path of the socket of a server."""
    folder = Path(tempfile.gettempdir(), f"exp_to_source-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder}: is not this user's alone")
    seen = {name: os.environ[name] for name in os.environ if name.startswith(READ_AT_START)}
    groups = Path("/proc/self/cgroup")
    text = groups.read_text(encoding="utf-8") if groups.exists() else ""
    what = json.dumps([start, sorted(seen.items()), text])
    return str(folder / hashlib.sha256(what.encode()).hexdigest()[:16])


def _connect(start: list[str], address: str) -> socket.socket:
    """Connect to a server; start it if there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        with open(f"{address}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                connection.connect(address)
            except (FileNotFoundError, ConnectionRefusedError):
                Path(address).unlink(missing_ok=True)
                with subprocess.Popen(
                    [*start, address],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                ) as server:
                    assert server.stdout
                    server.stdout.readline()
                    # It goes on.
                    server.returncode = 0
                connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def serve(address: str, function: Callable[..., None]) -> None:
    """Answer requests, each by a fork, until there are none for a while.

    Parameters
    ----------
    address : str
        Path of the socket.
    function : callable
        What forks do; it takes what a request has, by name.
    """
    # What all forks share is never looked through again.
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector:
        server.bind(address)
        server.listen(64)
        # From here on, whoever waits may connect.
        os.close(sys.stdout.fileno())
        selector.register(server, selectors.EVENT_READ)
        running: dict[int, tuple[socket.socket, int]] = {}
        try:
            while ready := selector.select(None if running else IDLE):
                for key, _ in ready:
                    if key.fileobj is server:
                        connection, _ = server.accept()
                        if child := _fork(connection, function):
                            ended = os.pidfd_open(child)
                            running[ended] = connection, child
                            selector.register(ended, selectors.EVENT_READ)
                            selector.register(connection, selectors.EVENT_READ, ended)
                    elif key.data is None:
                        _finish(selector, key.fd, *running.pop(key.fd))
                    else:
                        # The job is gone; its fork ends, and is then waited for.
                        selector.unregister(key.fileobj)
                        os.kill(running[key.data][1], signal.SIGKILL)
        finally:
            os.unlink(address)


def _finish(
    selector: selectors.BaseSelector, ended: int, connection: socket.socket, child: int
) -> None:
    """Tell a job how its fork ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    selector.unregister(ended)
    os.close(ended)
    if connection in {key.fileobj for key in selector.get_map().values()}:
        selector.unregister(connection)
        try:
            connection.sendall(f"{status}\n".encode())
        except OSError:
            pass
    connection.close()


def _fork(connection: socket.socket, function: Callable[..., None]) -> int:
    """Fork for a request; 0 if nothing came."""
    connection.settimeout(PATIENCE)
    files: list[int] = []
    try:
        head, files, _, _ = socket.recv_fds(connection, HEAD, 3)
        data = b""
        while len(data) < int.from_bytes(head):
            if not (more := connection.recv(int.from_bytes(head) - len(data))):
                raise ConnectionError
            data += more
        if not data or len(files) < 3:
            raise ConnectionError
        if child := os.fork():
            return child
        for number, file in enumerate(files):
            os.dup2(file, number)
        # Other jobs must not wait for this fork if the server ends.
        os.closerange(3, 1024)
        os._exit(_status_of(function, *json.loads(data)))
    except OSError:
        connection.close()
        return 0
    finally:
        for file in files:
            os.close(file)


def _status_of(
    function: Callable[..., None],
    request: Request,
    environment: dict[str, str],
    folder: str,
    umask: int,
) -> int:
    """Do a request; give the exit status. To tear down what was imported would take its time."""
    status = 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    own = {name: os.environ[name] for name in os.environ if name.startswith(READ_AT_START)}
    os.environ.clear()
    os.environ.update(environment | own)
    os.chdir(folder)
    os.umask(umask)
    # The server has closed it.
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        function(**request)
    except SystemExit as end:
        status = 1
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status
