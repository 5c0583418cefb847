"""Settings of the run."""

DEFAULTS = str(ROOT / "config" / "config.yaml")
# In full: the user may be in another folder, which has such a file, too.
path = os.path.abspath("config/config.yaml")
is_own = os.path.lexists(path) and os.path.realpath(path) != os.path.realpath(DEFAULTS)
#: Settings of the working directory, if it has any; a module has only those that it is given.
OWN_SETTINGS = [path] if is_own and not IS_MODULE else []

with exit_on_user_error():
    # If a file is not YAML, Snakemake reports neither its name nor the line.
    for path in (DEFAULTS, *OWN_SETTINGS):
        read_configfile(path)


configfile: DEFAULTS


for path in OWN_SETTINGS:

    configfile: path


with exit_on_user_error():
    check_results(RESULTS)
    check_configuration(config, [DEFAULTS, *OWN_SETTINGS], sys.argv)

IN_CONDA = "CONDA" in {method.name for method in workflow.deployment_settings.deployment_method}
# For bin/exp-to-source of the library, which jobs find by their PATH. In environments of rules, it is
# their Python.
os.environ.update(
    EXP_TO_SOURCE_PYTHON=config["python"] or ("python" if IN_CONDA else sys.executable)
)
