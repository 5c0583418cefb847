"""Runs that are killed while they make spectra leave nothing half-made.

EXP_TO_SOURCE_KILLS sets the number of kills (default 4, one of each victim).
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from astropy.io import fits
from snake import Workflow

from exp_to_source.simulate.exposures import Simulation, simulate

KILLS = int(os.environ.get("EXP_TO_SOURCE_KILLS", "4"))

#: Snakemake; a job; the process that jobs fork from; all but this one, which has its own session.
VICTIMS = ("main", "job", "server", "all")

#: Cards of time.
TIMES = ("DATE", "HISTORY")

Spectra = dict[str, list[tuple[list[str], bytes]]]


def read(folder: Path) -> Spectra:
    """Cards and data of all files that have their names, but for the tree, which has times."""
    found = {}
    for path in sorted(folder.glob("[!.]*.fits")):
        with fits.open(path, memmap=False) as hdus:
            assert hdus[-1].name == "ASDF", f"{path} is torn"
            found[path.name] = [
                (
                    [str(card) for card in hdu.header.cards if card.keyword not in TIMES],
                    b"" if hdu.data is None else hdu.data.tobytes(),
                )
                for hdu in hdus[:-1]
            ]
    return found


def kill(run: "subprocess.Popen[bytes]", victim: str, folder: Path) -> bool:
    """Kill a victim; tell whether there was one."""
    if victim == "main":
        run.kill()
        return True
    if victim == "all":
        os.killpg(run.pid, signal.SIGKILL)
        return True
    for process in psutil.process_iter(["cmdline", "environ", "pid"]):
        is_job = "--folder" in (process.info["cmdline"] or [])
        is_own = (process.info["environ"] or {}).get("TMPDIR") == str(folder)
        if is_own and is_job:
            is_server = os.getsid(process.pid) == process.pid
            if is_server == (victim == "server"):
                process.kill()
                return True
    return False


def test_kills_while_spectra_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A server of its own.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    chance = random.Random(0)
    what = {"mode": "niriss-wfss", "exposures": 2, "sources": 4, "shape": (8, 24)}
    simulate(Simulation(**what), tmp_path / "data")
    config = {"exposures": tmp_path / "data", "offline": True}
    undisturbed, work = (Workflow(tmp_path / name, config) for name in ("whole", "work"))
    undisturbed.make("spec3")
    whole = read(undisturbed.folder / "results" / "spec3")
    assert len(whole) == 2 * 4 + 2
    work.make()
    folder = work.folder / "results" / "spec3"
    victims: list[str] = []
    while len(victims) < KILLS:
        run = subprocess.Popen(
            work.command("spec3"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(2, 6))
        victim = VICTIMS[len(victims) % len(VICTIMS)]
        if run.poll() is None and kill(run, victim, tmp_path):
            victims.append(victim)
        run.wait()
        made = read(folder)
        assert all(content == whole[name] for name, content in made.items()), victims
        if run.returncode == 0:
            for path in folder.glob("*.fits"):
                path.unlink()
        else:
            work.run("--unlock")
    work.make("spec3")
    assert read(folder) == whole
    assert not list(folder.glob(".*"))
