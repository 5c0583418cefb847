"""Where settings of a run are from."""

import os

from snake import ROOT, Workflow


def test_settings_of_the_working_directory(tmp_path):
    """Above the defaults, below files and values of the command line; a module has its own."""
    work = Workflow(tmp_path / "work", {"source_id_digits": 5})
    own, other = work.folder / "config" / "config.yaml", tmp_path / "my.yaml"
    own.parent.mkdir(parents=True)

    def error(*options: str, **config: object) -> str:
        result = work.run("-n", *options, **config)
        assert "Traceback" not in result.text
        return result.text if result.status else ""

    own.write_text("demo: true\ngroup_by: name\n")
    other.write_text("\ngroup_by: id\n")
    option = f"--configfile={other}"
    assert f"exp-to-source: {other}, line 2: group_by cannot be 'id'" in error(option)
    assert not error(option, group_by="source_id")
    own.unlink()
    own.symlink_to("gone.yaml")
    assert f"exp-to-source: {own}: No such file" in error()
    own.unlink()
    own.write_text("mine: 1\n")
    (work.folder / "Snakefile").write_text(
        f'module m:\n    snakefile: "{ROOT}/Snakefile"\n'
        '    config: {"demo": True}\nuse rule * from m as m_*\n'
    )
    module = Workflow(work.folder, {"x_y": 1}, work.folder)
    result = module.run("-n", "m_simulate_exposures")
    assert result.status == 0, result.text


def test_working_directory_that_is_the_clone(tmp_path):
    """Its settings are the defaults, which are read once."""
    folder = tmp_path / "work"
    folder.mkdir()
    os.symlink(ROOT / "config", folder / "config")
    result = Workflow(folder, {"demo": True}).run("-n")
    assert result.status == 0, result.text
    assert result.text.count("is extended by additional config") == 1
