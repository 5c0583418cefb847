"""Runs that are killed at random moments and restarted."""

import os
import random
import shutil
import signal
import subprocess
import time

import psutil
from snake import Workflow

from exp_to_source.results import SUMMARY

VICTIMS = ("main", "worker", "all")
WORKERS = ("index_exposure.py", "list_sources.py", "gather_source.py")


def results_of(work: Workflow) -> dict[str, bytes]:
    """All results by name, but for the summary, which says how long a run took."""
    folder = work.folder / "results"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SUMMARY
    }


def kill(run: subprocess.Popen, victim: str, chance: random.Random) -> None:
    """Kill Snakemake, one of its workers if there are any, or everything at once."""
    main = psutil.Process(run.pid)
    workers = [
        process
        for process in main.children(recursive=True)
        if any(word.endswith(WORKERS) for word in process.cmdline())
    ]
    if victim == "worker" and workers:
        chance.choice(workers).kill()
    elif victim == "all":
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()


def disturb(work: Workflow, whole: dict[str, bytes], kills: int, seed: int) -> list[str]:
    """Kill runs at random moments, restart them, begin anew when one completes."""
    chance = random.Random(seed)
    victims = []
    while len(victims) < kills:
        run = subprocess.Popen(
            work.command(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(0.7, 3.0))
        if run.poll() is None:
            try:
                victim = VICTIMS[len(victims) % len(VICTIMS)]
                kill(run, victim, chance)
                victims.append(victim)
            except psutil.NoSuchProcess:
                pass
        run.wait()
        for name, content in work.products.items():
            if not name.startswith("."):
                assert content == whole[f"products/{name}"], f"{name} is torn after {victims}"
        if run.returncode == 0:
            shutil.rmtree(work.folder / "results")
            shutil.rmtree(work.folder / ".snakemake")
        elif (work.folder / ".snakemake" / "locks").is_dir():
            work.run("--unlock")
    return victims
