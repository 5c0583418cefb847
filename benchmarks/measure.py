"""Run a command as a process of its own, and measure it and all processes that it starts.

Run as a program, this file is the small process between the benchmark and the command. It is
needed because a new process begins with the peak memory of the one that it was made from; so
no more than the standard library's lightest modules may be imported here at the top.
"""

import json
import os
import sys
import time


def run(command: list[str]) -> dict[str, float]:
    """Run a command to its end; what it prints goes to standard error.

    Parameters
    ----------
    command : list of str
        Program, by its path or by its name, and arguments.

    Returns
    -------
    dict of str to float
        ``wall`` and ``cpu`` in seconds (of the command and all it waited for), ``memory``: peak
        resident bytes (of the largest process among these), ``read`` and ``written``: bytes that
        passed through system calls; ``status``: exit status.
    """
    start = time.perf_counter()
    pid = os.posix_spawnp(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)]
    )
    # Its counters can be read after its end, but not once it has been waited for.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - start
    with open(f"/proc/{pid}/io") as file:
        io = dict(line.split(": ") for line in file)
    _, status, usage = os.wait4(pid, 0)
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": 1024 * usage.ru_maxrss,
        "read": int(io["rchar"]),
        "written": int(io["wchar"]),
        "status": os.waitstatus_to_exitcode(status),
    }


def measure(command: list[str], directory: str, log: str) -> dict[str, float]:
    """Run a command by way of the small process, and measure it.

    Parameters
    ----------
    command : list of str
        Program and arguments.
    directory : str
        Where to run it.
    log : str
        File for all that it prints.

    Returns
    -------
    dict of str to float
        As of `run`, without the status.

    Raises
    ------
    SystemExit
        If the command fails.
    """
    import subprocess

    # Settings such as PYTHONDONTWRITEBYTECODE have each start compile what others have compiled.
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("PYTHON")}
    launcher = [sys.executable, "-I", "-S", os.path.abspath(__file__)]
    with open(log, "wb") as errors:
        done = subprocess.run(
            launcher + command,
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=True,
        )
    measured: dict[str, float] = json.loads(done.stdout)
    if measured.pop("status"):
        with open(log, encoding="utf-8", errors="replace") as file:
            sys.exit(f"failed: {' '.join(command)}\n{file.read()[-3000:]}")
    return measured


def summary(measured: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median and largest of each figure, and of how many."""
    import statistics

    columns = {key: [one[key] for one in measured] for key in measured[0]}
    return {
        "median": {key: statistics.median(column) for key, column in columns.items()},
        "max": {key: max(column) for key, column in columns.items()},
        "runs": {"count": len(measured)},
    }


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:])))
