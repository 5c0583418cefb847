"""What each directive of the rule gather_source costs Snakemake's main process, for each product.

The rule gets another shell command, which takes next to no time, and the indices are made up.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from inputs import ROOT, make_indices, parse_size

#: Runs Snakemake, and prints what its own process took, without the jobs.
MAIN = """
import atexit, time
atexit.register(lambda: print(time.process_time()))
from snakemake.cli import main
main()
"""
DIRECTIVES = ("log", "wildcard_constraints", "conda", "resources", "params", "message")
PARTS = ("Snakefile", "config", "profiles", "scripts", "workflow")


def main() -> None:
    """Read the command line, measure each variant of the rule in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=500, help="products to make (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run (%(default)s)")
    arguments = parser.parse_args()
    rule = (ROOT / "workflow" / "rules" / "gather.smk").read_text(encoding="utf-8")
    rule = replaced(rule, "shell", '"echo made > {output.product:q}"')
    direct = replaced(rule, "input", 'manifest=f"results/manifests/{PRODUCT}.txt",')
    bare = direct
    for name in DIRECTIVES:
        bare = replaced(bare, name)
    variants = {
        "as it is": rule,
        **{f"without {name}": replaced(rule, name) for name in DIRECTIVES},
        "input without its function": direct,
        "with none of these": bare,
    }
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(arguments.runs):
        for name, text in variants.items():
            times[name].append(seconds(text, arguments.sources))
            print(f"{name}: {times[name][-1]:.2f} s", file=sys.stderr)
    whole = statistics.median(times["as it is"])
    print("| rule | CPU of Snakemake | saved for each product |\n| --- | ---: | ---: |")
    for name, measured in times.items():
        one = statistics.median(measured)
        print(f"| {name} | {one:.1f} s | {1e3 * (whole - one) / arguments.sources:.1f} ms |")


def replaced(rule: str, directive: str, content: str = "") -> str:
    """Text of the rule with other content of a directive, or without it."""
    block = re.compile(rf"^    {directive}:\n(?:        .*\n)+", re.MULTILINE)
    new = f"    {directive}:\n        {content}\n" if content else ""
    changed, count = block.subn(lambda _: new, rule)
    if count != 1:
        raise ValueError(f"gather_source has {count} times {directive}")
    return changed


def seconds(rule: str, sources: int) -> float:
    """CPU of the main process of a run that makes all products."""
    with tempfile.TemporaryDirectory(dir=ROOT / "benchmarks") as folder:
        clone, run, data = (Path(folder, name) for name in ("clone", "run", "input"))
        clone.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, clone / part)
        (clone / "workflow" / "rules" / "gather.smk").write_text(rule, encoding="utf-8")
        make_indices(parse_size(f"list-2x{sources}"), data, run / "results" / "index")
        command = [sys.executable, "-c", MAIN, "--snakefile", clone / "Snakefile"]
        command += ["--directory", run, "--cores", "2", "--config", f"exposures={data}"]
        subprocess.run([*command, "--", "results/sources.tsv"], check=True, capture_output=True)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        if len(list((run / "results" / "products").iterdir())) != sources:
            sys.exit(f"not all {sources} products were made")
    # The other lines are Snakemake's.
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
