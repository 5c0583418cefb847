"""Settings, exposures and request of the run.

Nothing here writes or removes a file, as it is also parsed during other runs, and by commands that run
no jobs.
"""

DEFAULTS = str(ROOT / "config" / "config.yaml")
#: Settings of the working directory, if it has any; a module has only those that it is given.
OWN_SETTINGS = [
    path
    # In full: the user may be in another folder, which has such a file, too.
    for path in (os.path.abspath("config/config.yaml"),)
    if not is_module()
    and os.path.lexists(path)
    and os.path.realpath(path) != os.path.realpath(DEFAULTS)
]

with exit_on_user_error("exp_to_source"):
    # If a file is not YAML, Snakemake reports neither its name nor the line.
    for path in (DEFAULTS, *OWN_SETTINGS):
        read_settings(path)


configfile: DEFAULTS


for path in OWN_SETTINGS:

    configfile: path


#: All files of settings; later ones override earlier ones. Snakemake has changed the folder, to which
#: those of the command line are relative; the shell's variable has it.
SETTINGS = [
    *(DEFAULTS, *OWN_SETTINGS),
    *filter(os.path.isfile, (os.path.join(os.environ.get("PWD", ""), p) for p in SAID.configfiles)),
]

#: Content of the request files, by name.
TEXTS = {}


def check_storage(path):
    """Refuse results outside of a file system: they refer to bytes of the exposures."""
    if str(path).startswith(".snakemake/storage/"):
        raise InputError(
            "--default-storage-provider is not supported: results belong in a file system that "
            "all jobs share; leave it out (see docs/module.md)"
        )


def check_results():
    """Refuse results that cannot be read, for which Snakemake would fail with a traceback."""
    logs = os.path.join(os.path.dirname(RESULTS), "logs")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}", logs, ".snakemake"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{folder}: is not a folder; move it away")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}"):
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
    own = ".snakemake" if os.path.isdir(".snakemake") else "."
    if not os.access(own, os.W_OK):
        read_only = os.statvfs(own).f_flag & os.ST_RDONLY
        why = errno.EROFS if read_only else errno.EACCES
        raise PermissionError(why, os.strerror(why), os.path.abspath(own))


def written_in(key):
    """Say in which file a setting is made, if it is in one."""
    place = place_of(config, [key], SETTINGS)
    return f" in {place}" if place else ""


def read_request():
    """Associations of the configuration, its exposures by name, and those that are prepared."""
    paths = find_files("associations", config["associations"], results=RESULTS, where=written_in)
    associations = [read_association(path) for path in paths]
    if config["demo"]:
        files = SIMULATED_ON_DISK
    else:
        files = find_exposures(config["exposures"], RESULTS, IS_MODULE, written_in)
    members = [path for association in associations for path in association.science]
    found = found_files(config["exposures"], files)
    exposures = name_exposures([*files, *members], found.difference(members))
    prepared = name_members(associations) if config["prepare"] else {}
    exposures |= {name: prepared_path(RESULTS, name) for name in prepared}
    return associations, exposures, prepared


def choice_options():
    """Options that choose sources."""
    items = [(key, item) for key in ("sources", "exclude") for item in parse_items(config[key])]
    items.append(("min-exposures", config["min_exposures"]))
    return [f"--{key}={value}" for key, value in items] + table_options("catalog")


def join_options():
    """Options that join slits."""
    return [f"--fixed-slit-ids={config['fixed_slit_ids']}", *table_options("joins")]


def table_options(key):
    """Option with a table of the user, if the configuration names one."""
    return [f"--{key}={path}" for path in TABLES[key]]


def request_of_list():
    """Request for the source list; as a file, it shows a run that the request is new."""
    keys = ("group_by", "source_id_digits", "on_bad_exposure", "on_doubt")
    options = [f"--{key.replace('_', '-')}={config[key]}" for key in keys]
    options += [*join_options(), *choice_options()]
    return request_text(EXPOSURES, ASSOCIATIONS, options, f"{RESULTS}/{names.INDICES}")


def remember(what, text, files=""):
    """Path of a file for a text, named after the content of the text and of files that it names.

    A run has the text in memory: parsing the workflow during the run cannot change its request.
    """
    path = f"{REQUESTS}/{what}-{hashlib.sha256((text + files).encode()).hexdigest()[:16]}.txt"
    TEXTS[os.path.basename(path)] = text
    return path


def text_of(wildcards):
    """Text of a request of this run."""
    text = TEXTS.get(f"{wildcards.request}.txt")
    if text is None:
        refuse(
            f"{wildcards.request}: is a request of other settings than those of this run; ask for "
            "it with these, or for the target 'sources'"
        )
    return text


def is_request_old():
    """Whether exposures or tables named by the settings changed since the run began."""
    try:
        associations, exposures, _ = read_request()
        digest = content_digest(named_files(associations))
    except (InputError, OSError):
        return True
    return (exposures, digest) != (EXPOSURES, STATE)


def named_files(associations):
    """The user's files, other than exposures, that the settings name."""
    return [*(association.path for association in associations), *sum(TABLES.values(), [])]


with exit_on_user_error("exp_to_source"):
    check_results()
    check_configuration(
        config,
        str(ROOT / "workflow" / "schemas" / "config.schema.yaml"),
        files=SETTINGS,
    )
    ASSOCIATIONS, EXPOSURES, MEMBERS = read_request()
    NAMED = named_exposures(config["exposures"], ASSOCIATIONS)
    TABLES = {key: find_table(key, config[key], written_in) for key in ("catalog", "joins")}
    # File times do not show that a table was replaced by an older one.
    STATE = content_digest(named_files(ASSOCIATIONS))
    REQUEST = remember("sources", request_of_list(), STATE)
#: Made whenever the sources were listed: a source list without it is of an earlier run.
ANSWERED = answer_path(REQUEST)
