"""Jobs run as forks of a process that has done their imports, which are most of what a job costs.

The first job forks this server, which ends after a while without jobs. A job connects to it by a
socket that has a name but no file (Linux), and hands over its request, open files, environment,
folder and umask. A fork of the server does the work, and is killed if its job is. A job without a
server, or whose fork is lost, does the work itself.
"""

import errno
import gc
import hashlib
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

#: Seconds without a job after which a server ends.
IDLE_TIMEOUT = 10

#: Beginnings of the names of environment variables that are read at imports.
READ_AT_START = (
    *("CRDS", "STPIPE", "PYTHON", "OMP", "MKL", "MPL", "OPENBLAS", "TMPDIR", "LANG", "LC_"),
)

Function = Callable[..., None]
Imports = AbstractContextManager[None]


def run_job(
    command: str, target: str, options: dict[str, Any], key: str, imports: Imports, fork: bool
) -> None:
    """Call a function of this package, given as ``module:name``: in a fork, or here.

    After a fork, exit with its status. `command` is the subcommand in messages; the rest is as for
    `run_in_fork`.
    """
    request: dict[str, Any] = {"command": command, "target": target, "options": options}
    status = run_in_fork(key, imports, run_target, request) if fork else None
    if status is not None:
        sys.exit(status)
    with imports:
        run_target(**request)


def run_target(command: str, target: str, options: dict[str, Any]) -> None:
    """Call a function given as ``module:name``; exit with a sentence if the user can help it."""
    from .errors import PROGRAM, exit_on_user_error

    with exit_on_user_error(f"{PROGRAM} {command}"):
        module, _, name = target.partition(":")
        getattr(import_module(f".{module}", __package__), name)(**options)


def run_in_fork(
    key: str, imports: Imports, function: Function, request: dict[str, Any]
) -> int | None:
    """Call a function in a fork of a server of that name, which is started if there is none.

    Servers of other environments, other states of code and packages, other control groups (the jobs
    of a cluster), other mounts (containers), other cores and other users are not used. A server
    does its work within `imports`: entering it imports what the function needs. The function gets
    the request as keyword arguments, and ends by `SystemExit` with a message if it fails. Returns
    the exit status; None if there is no server, or the fork was lost.
    """
    if sys.platform != "linux":
        return None
    umask = os.umask(0)
    os.umask(umask)
    state = [request, dict(os.environ), os.getcwd(), umask]
    try:
        # A connection in place of closed standard input would go to the fork, and never end.
        while (file := os.open(os.devnull, os.O_RDWR)) < 3:
            pass
        os.close(file)
        with _connect(_address(key), imports, function) as connection:
            if not _is_same_user(connection):
                return None
            socket.send_fds(connection, [b"\n"], [0, 1, 2])
            connection.sendall(f"{json.dumps(state)}\n".encode())
            status = connection.recv(1)
    except OSError:
        return None
    return status[0] if status else None


def _address(key: str) -> str:
    """Name of the socket, by all that a process has once it has started."""
    group = Path("/proc/self/cgroup")
    state = [
        *(key, sys.executable, os.getuid(), os.getgid()),
        *(sorted(_start_environment().items()), sorted(_state_of_code())),
        [os.path.abspath(path) for path in sys.path],
        group.read_text(encoding="utf-8") if group.exists() else "",
        *(os.readlink("/proc/self/ns/mnt"), sorted(os.sched_getaffinity(0)), os.nice(0)),
    ]
    # A leading zero: a name of Linux, of which nothing stays behind.
    return f"\0exp_to_source-{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]}"


def _start_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(READ_AT_START)}


def _state_of_code() -> Iterator[tuple[str, int]]:
    """List the files of this library and the metadata of installed packages, with their times."""
    for path in Path(__file__).parent.rglob("*"):
        # Folders change when modules are compiled.
        if path.parent.name != "__pycache__" and path.is_file():
            yield str(path), path.stat().st_mtime_ns
    for folder in filter(os.path.isdir, sys.path):
        for entry in os.scandir(folder):
            # Their names have versions; installing anew changes their times.
            if entry.name.endswith((".dist-info", ".egg-info", ".pth")):
                yield entry.path, entry.stat().st_mtime_ns


def _connect(address: str, imports: Imports, function: Function) -> socket.socket:
    """Connect to a server; start it if there is none."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        with socket.socket(socket.AF_UNIX) as listener:
            try:
                connection.connect(address)
            except ConnectionRefusedError:
                try:
                    listener.bind(address)
                except OSError as error:
                    connection.close()
                    if error.errno != errno.EADDRINUSE:
                        raise
                    # Another job is about to listen.
                    time.sleep(0.01)
                    continue
                listener.listen(64)
                connection.connect(address)
                if not os.fork():
                    connection.close()
                    _serve(listener, imports, function)
            return connection


def _is_same_user(connection: socket.socket) -> bool:
    # Process, user and group at the other end.
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", peer)[1] == os.getuid())


def _serve(listener: socket.socket, imports: Imports, function: Function) -> NoReturn:
    """Fork for each connection, until there are none for a while."""
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        # Files that were open in the job that started it.
        os.closerange(3, listener.fileno())
        os.closerange(listener.fileno() + 1, 1024)
        sys.path[:] = map(os.path.abspath, sys.path)
        os.chdir("/")
        with imports:
            # Otherwise, each fork writes what the imports have printed.
            sys.stdout.flush()
            sys.stderr.flush()
            # What all forks share is exempt from garbage collection.
            gc.freeze()
            # Forks that end need not be waited for.
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            listener.settimeout(IDLE_TIMEOUT)
            while True:
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    # An error, which ends this server, if no fork is running.
                    os.waitpid(-1, os.WNOHANG)
                    continue
                with connection:
                    if not os.fork():
                        listener.close()
                        _work(connection, function)
    finally:
        os._exit(0)


def _work(connection: socket.socket, function: Function) -> NoReturn:
    """Receive a request, call the function, send the exit status."""
    status = b"\1"
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        if not (_is_same_user(connection) and len(files) == 3):
            os._exit(1)
        with connection.makefile() as lines:
            request, environment, folder, umask = json.loads(lines.readline())
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        threading.Thread(target=_end_with_job, args=(connection,), daemon=True).start()
        environment |= _start_environment()
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        os.umask(umask)
        function(**request)
        # What cannot be written is an error, too.
        sys.stdout.flush()
        status = b"\0"
    except SystemExit as end:
        print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        # A fork never leaves the contexts of its server, whatever fails: a full disk, a lost job.
        try:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            connection.sendall(status)
        finally:
            # To tear down what was imported would take its time.
            os._exit(0)


def _end_with_job(connection: socket.socket) -> None:
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)
