"""What rules use of Snakemake beyond its documents is little, and exists."""

import re
from pathlib import Path

import pytest
import snakemake
from snake import ROOT

RULES = ROOT / "workflow" / "rules"

#: Attributes of `workflow` that documents have (and the name of a file); others, by their file.
DOCUMENTED = {"basedir", "current_basedir", "rst"}
PRIVATE = {
    "common.smk": {"modifier"},
    "hooks.smk": {"scheduler"},
    "settings.smk": {"deployment_settings"},
}

USES = [
    ("workflow", "Workflow", "modifier"),
    ("modules", "WorkflowModifier", "modify_path"),
    ("workflow", "Workflow", "scheduler"),
    ("scheduling/job_scheduler", "JobScheduler", "job_rate_limiter"),
    ("scheduling/job_scheduler", "JobRateLimiter", "max_jobs"),
    ("scheduling/job_scheduler", "JobRateLimiter", "timespan"),
    ("workflow", "Workflow", "deployment_settings"),
    ("settings/types", "DeploymentSettings", "deployment_method"),
    ("workflow", "Workflow", "DeploymentMethod.CONDA"),
    ("sourcecache", "HostingProviderFile", "hosted_repo"),
    ("sourcecache", "HostingProviderFile", "ref"),
    ("sourcecache", "HostedGitRepo", "repo"),
]


def test_few_private_attributes_are_used_and_no_more():
    for path in [ROOT / "Snakefile", *RULES.glob("*.smk")]:
        text = path.read_text(encoding="utf-8")
        used = set(re.findall(r"(?<![.\w])workflow\.([a-z_]+)", text))
        assert used - DOCUMENTED == PRIVATE.get(path.name, set()), path
        assert not re.search(
            r"^(import|from) snakemake\.(?!utils|exceptions)", text, re.MULTILINE
        ), path


@pytest.mark.parametrize(("module", "owner", "name"), USES)
def test_this_snakemake_has_what_rules_use(module: str, owner: str, name: str):
    text = (Path(snakemake.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
    assert f"class {owner}" in text and re.search(rf"\b{name}\b", text), (
        f"this Snakemake has no {owner}.{name}: see workflow/rules for what needs it, and find "
        "another way"
    )
