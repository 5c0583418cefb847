"""One command, which starts by any Python, without what it does not need."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from snake import ROOT

from exp_to_source.cli import main, make_parsers

COMMANDS = make_parsers()[1]
SCRIPTS = ROOT / "scripts"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ([], "exp-to-source: error: the following arguments are required: COMMAND"),
        (["reprot"], "exp-to-source: error: argument COMMAND: invalid choice: 'reprot' (choose"),
        (["check"], "exp-to-source check: error: the following arguments are required: table"),
    ],
)
def test_wrong_command_lines(words: list[str], fault: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(fault)


@pytest.mark.parametrize("script", ["exp-to-source", "exp_to_source/bin/exp-to-source"])
def test_script_starts_in_any_folder_and_imports_little(script: str, tmp_path: Path):
    python = [sys.executable, "-X", "importtime"]
    by_itself = "/bin/" in script
    # With this, Python does not add the folder of a program to its path.
    environment = {"EXP_TO_SOURCE_PYTHON": " ".join(python), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [*([] if by_itself else python), SCRIPTS / script, "--help"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(COMMANDS) <= set(done.stdout.split())
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "exp_to_source.cli" in imported
    assert not imported & {"numpy", "astropy", "asdf", "yaml", "jsonschema", "snakemake"}


def test_python_of_jobs_may_have_a_path_with_spaces(tmp_path: Path):
    python = tmp_path / "a b" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    environment = os.environ | {"EXP_TO_SOURCE_PYTHON": str(python)}
    for words in (["--help"], ["gather", "--help"]):
        command = [SCRIPTS / "exp_to_source" / "bin" / "exp-to-source", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.startswith("usage: exp-to-source")
