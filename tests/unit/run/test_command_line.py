"""What is taken from Snakemake's command line."""

import pytest

from exp_to_source.run.command_line import CommandLine, read_command_line

NOTHING = CommandLine([], "", False, False, [])


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
        ("--batch all=1/4", NOTHING._replace(batch="all=1/4")),
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
