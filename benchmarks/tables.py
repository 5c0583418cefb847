"""Results as Markdown tables."""

from collections.abc import Iterable
from typing import Any

STEP_COUNT = {"index_exposure": "exposures", "gather_source": "sources"}


def report(results: dict[str, Any]) -> str:
    """Lay all results out.

    Parameters
    ----------
    results : dict
        As in ``results.json``.

    Returns
    -------
    str
        Markdown.
    """
    sizes = results["sizes"]
    machine, options = results["machine"], results["options"]
    versions = ", ".join(f"{name} {text}" for name, text in sorted(results["versions"].items()))
    parts = [
        "# Benchmark\n",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB, "
        f"{machine['kernel']}, {machine['date']}; load before the start "
        f"{machine['load_before']:.1f}; {versions}.\n",
        f"Medians of {options['runs']} runs. The official path ran once, on the same files and in "
        f"the same run as what it is compared with; lists of more than {options['many']} products "
        "once, too. See [README.md](../README.md) for what each figure means.\n",
    ]
    whole = {name: size for name, size in sizes.items() if "cold" in size}
    lists = {name: size for name, size in sizes.items() if "dry_run" in size}
    if whole:
        parts += ["## Whole run, wall time\n", _wall(whole)]
        parts += ["## Reruns, wall time\n", _reruns(whole)]
        if elsewhere := {name: size for name, size in whole.items() if "elsewhere" in size}:
            parts += [f"## Results in {options['elsewhere']}\n", _elsewhere(elsewhere)]
        parts += ["## Peak memory\n", _memory(whole)]
    for path in ("official", "official_next"):
        if measured := {name: size for name, size in whole.items() if path in size}:
            version = next(iter(measured.values()))[path]["phases"]["stdatamodels"]
            parts += [f"## Official path, stdatamodels {version}\n", _phases(measured, path)]
    parts += ["## Steps, each a process of its own\n", _steps(sizes)]
    if lists:
        parts += ["## Snakemake, with many products\n", _lists(lists)]
    return "\n".join(parts)


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    names = [name.strip() for name in head.split("|")]
    rule = ["---"] + ["---:"] * (len(names) - 1)
    return "".join(f"| {' | '.join(row)} |\n" for row in (names, rule, *rows))


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _mb(count: float) -> str:
    return f"{count / 1e6:.1f} MB" if count < 1e7 else f"{count / 1e6:.0f} MB"


def _official(size: dict[str, Any], key: str) -> tuple[float | None, str]:
    """Figure of the official path: its value, and a mark where it is not measured."""
    if "official" in size:
        return size["official"][key], ""
    if "extrapolated" in size:
        return size["extrapolated"][key], " (extrapolated)"
    return None, ""


def _wall(sizes: dict[str, Any]) -> str:
    head = "size | input | cp | official (one run) | 1 core | 2 cores"
    head += " | official / 1 core | official / 2 cores | 2 cores / cp | read / input"
    head += " | written / products"
    rows = []
    for name, size in sizes.items():
        official, mark = _official(size, "wall")
        copy = size["cp"]["median"]["wall"]
        two = size["cold"]["2"]["median"]
        ours = [size["cold"].get(cores, {}).get("median", {}).get("wall") for cores in "12"]
        ratios = [f"{official / wall:.1f}{mark}" if official and wall else "-" for wall in ours]
        rows.append(
            (
                *(name, _mb(size["bytes"]), _s(copy)),
                f"{_s(official)}{mark}" if official else "not run",
                *(_s(wall) if wall else "-" for wall in ours),
                *ratios,
                f"{two['wall'] / copy:.0f}",
                f"{size['data_read']:.2f} (all processes {two['read'] / size['bytes']:.2f})",
                f"{size['data_written']:.3f}",
            )
        )
    return _table(head, rows)


def _reruns(sizes: dict[str, Any]) -> str:
    rows = []
    for name, size in sizes.items():
        cold = size["cold"]["2"]["median"]["wall"]
        nothing, changed = (size[key]["median"]["wall"] for key in ("nothing", "changed"))
        rows.append((name, _s(cold), _s(nothing), _s(changed), f"{cold / changed:.1f}"))
    head = "size | cold, 2 cores | nothing changed | one slit changed | cold / one slit changed"
    return _table(head, rows)


def _elsewhere(sizes: dict[str, Any]) -> str:
    rows = []
    for name, size in sizes.items():
        walls = (figures["median"]["wall"] for figures in (size["cold"]["2"], size["elsewhere"]))
        rows.append((name, *map(_s, walls)))
    return _table("size | cold, 2 cores | the same, results elsewhere", rows)


def _memory(sizes: dict[str, Any]) -> str:
    head = "size | official (one run) | workflow, largest process | index_exposure"
    head += " | list_sources | gather_source | largest ASDF extension | official / largest of ours"
    rows = []
    for name, size in sizes.items():
        official, mark = _official(size, "memory")
        ours = [size["cold"]["2"]["max"]["memory"]]
        ours += (step["max"]["memory"] for step in size["steps"].values())
        rows.append(
            (
                name,
                f"{_mb(official)}{mark}" if official else "not run",
                *map(_mb, (*ours, size["asdf_bytes"])),
                f"{official / max(ours):.1f}{mark}" if official else "-",
            )
        )
    return _table(head, rows)


def _phases(sizes: dict[str, Any], path: str) -> str:
    head = "size | wall | official / 2 cores | import | open | regroup | save | CPU"
    head += " | open, CPU an exposure | index_exposure, CPU | open / index_exposure"
    rows = []
    for name, size in sizes.items():
        phases, wall = size[path]["phases"], size[path]["wall"]
        ratio = wall / size["cold"]["2"]["median"]["wall"]
        opened = phases["open"]["cpu"] / size["exposures"]
        index = size["steps"]["index_exposure"]["median"]["cpu"]
        walls = (_s(phases[key]["wall"]) for key in ("import", "open", "regroup", "save"))
        cpu = _s(size[path]["cpu"])
        cells = (name, _s(wall), f"{ratio:.1f}", *walls, cpu, _s(opened), _s(index))
        rows.append((*cells, f"{opened / index:.1f}"))
    return _table(head, rows)


def _steps(sizes: dict[str, Any]) -> str:
    head = "size | step | processes | wall | wall, max | CPU | CPU, max | memory, max"
    head += " | read | read, max | written | written, max"
    rows = []
    for name, size in sizes.items():
        for step, figures in size["steps"].items():
            median, most = figures["median"], figures["max"]
            times = (_ms(figure[key]) for key in ("wall", "cpu") for figure in (median, most))
            io = (_mb(figure[key]) for key in ("read", "written") for figure in (median, most))
            count = str(size.get(STEP_COUNT.get(step, ""), 1))
            rows.append((name, step, count, *times, _mb(most["memory"]), *io))
    return _table(head, rows)


def _lists(sizes: dict[str, Any]) -> str:
    rows = []
    for name, size in sizes.items():
        cells = [name]
        for figures in (size["steps"]["list_sources"], size["dry_run"], size["nothing"]):
            wall, memory = figures["median"]["wall"], figures["max"]["memory"]
            cells += (_s(wall), f"{1e3 * wall / size['sources']:.2f} ms", _mb(memory))
        rows.append(tuple(cells))
    each = "time a product | memory"
    return _table(f"size | list | {each} | dry run | {each} | nothing to do | {each}", rows)
