"""What is asked of Snakemake beyond its documents is in one file, and is there."""

import logging
import re
from pathlib import Path

import pytest
from snake import ROOT

RULES = ROOT / "workflow" / "rules"

#: Attributes of `workflow` that Snakemake's documents have, or that rules are written with.
DOCUMENTED = {"basedir", "current_basedir", "source_path", "rst"}


def attributes(path: Path) -> set[str]:
    return set(re.findall(r"\bworkflow\.([a-z_]+)", path.read_text(encoding="utf-8")))


def test_private_attributes_are_used_in_one_file():
    for path in [ROOT / "Snakefile", *RULES.glob("*.smk")]:
        if path.name != "undocumented.smk":
            assert attributes(path) <= DOCUMENTED, path
            assert "snakemake.checkpoints" not in path.read_text(encoding="utf-8"), path


USES = [
    ("workflow", "Workflow", "modifier"),
    ("modules", "WorkflowModifier", "is_main_snakefile"),
    ("modules", "WorkflowModifier", "modify_path"),
    ("workflow", "Workflow", "dag"),
    ("dag", "DAG", "forcefiles"),
    ("dag", "DAG", "batch"),
    ("workflow", "Workflow", "scheduler"),
    ("scheduling/job_scheduler", "JobScheduler", "job_rate_limiter"),
]


def test_three_uses_and_no_more():
    text = (RULES / "undocumented.smk").read_text(encoding="utf-8")
    assert attributes(RULES / "undocumented.smk") == {"modifier", "dag", "scheduler"}
    assert "import snakemake" not in text and "from snakemake" not in text


def test_the_log_of_this_snakemake_is_where_python_has_it():
    from snakemake.logging import logger

    assert logger is logging.getLogger("snakemake.logging"), "see workflow/rules/undocumented.smk"


@pytest.mark.parametrize(("module", "owner", "name"), USES)
def test_this_snakemake_has_what_undocumented_smk_uses(module: str, owner: str, name: str):
    import snakemake

    text = (Path(snakemake.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    assert owner in text and re.search(rf"\b{name}\b", text), (
        f"this Snakemake has no {owner}.{name}: see workflow/rules/undocumented.smk for what needs "
        "it, and find another way"
    )
