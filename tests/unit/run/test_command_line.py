"""What is taken from Snakemake's command line."""

import pytest

from exp_to_source.run.command_line import CommandLine, command_for, read_command_line

NOTHING = CommandLine([], False, False, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", NOTHING),
        ("--cores 2 --config sources=1-5 -- all", NOTHING),
        (
            "--configfile a.yaml b.yaml --cores 2",
            NOTHING._replace(configfiles=["a.yaml", "b.yaml"]),
        ),
        ("--configfiles=a.yaml -n", NOTHING._replace(configfiles=["a.yaml"])),
        ("--configfile a.yaml --configfile b.yaml", NOTHING._replace(configfiles=["b.yaml"])),
        ("-p", NOTHING._replace(each_job=True)),
        ("-np --cores 1", NOTHING._replace(each_job=True)),
        ("--verbose", NOTHING._replace(each_job=True)),
        ("--profile profiles/slurm", NOTHING),
        ("--mode remote --target-jobs x:", NOTHING._replace(is_job=True)),
        ("--mode default", NOTHING),
        ("--configfile", NOTHING),
        ("report --directory W", NOTHING),
        (
            "--directory W -- results/x results/y",
            NOTHING._replace(files=["results/x", "results/y"]),
        ),
    ],
)
def test_what_is_said(words: str, said: CommandLine):
    assert read_command_line(words.split()) == said


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("", "report"),
        ("--directory W", "--directory W report"),
        ("-d W -c2", "-d W report -c2"),
        ("all --directory=W -p", "report --directory=W -p"),
        ("--directory W sources --config a=b", "--directory W report --config a=b"),
        ("--directory W --config a=/x/*.fits --", "--directory W report --config 'a=/x/*.fits'"),
        ("--configfile a b --cores 2 -- all", "report --configfile a b --cores 2"),
    ],
)
def test_command_for_another_target(typed: str, command: str):
    assert command_for("report", typed.split()) == f"snakemake {command}"


@pytest.mark.parametrize("typed", ["--forceall", "-R x", "--until x", "--directory", "-d all all"])
def test_commands_that_cannot_be_told(typed: str):
    assert command_for("report", typed.split()) == ""


def test_target_that_is_the_default():
    assert command_for("all", ["sources", "-d", "W"]) == "snakemake -d W"
