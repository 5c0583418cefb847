"""Settings, the exposures of the run, and what it asks for.

Only looked at: nothing here writes or removes a file, as this is parsed beside other runs, and where
nothing is to be run.
"""

DEFAULTS = str(ROOT / "config" / "config.yaml")
#: Settings of the working directory, where it has some; a module has those that it is given.
OWN_SETTINGS = [
    path
    for path in ("config/config.yaml",)
    if not is_module()
    and os.path.lexists(path)
    and os.path.realpath(path) != os.path.realpath(DEFAULTS)
]

with told_in_a_sentence("exp_to_source"):
    # Of a file that is not YAML, Snakemake tells neither the name nor the line.
    for path in (DEFAULTS, *OWN_SETTINGS):
        read_settings(path)


configfile: DEFAULTS


for path in OWN_SETTINGS:

    configfile: path


#: What the files of requests say, by name.
TEXTS = {}


def check_storage(path):
    """Refuse results elsewhere than in a file system: they lead to bytes of the exposures."""
    if str(path).startswith(".snakemake/storage/"):
        raise InputError(
            "--default-storage-provider is not supported: results belong in a file system that "
            "all jobs share; leave it out (see docs/module.md)"
        )


def check_results():
    """Refuse what Snakemake would fail at with a traceback: results that cannot be looked into."""
    logs = os.path.join(os.path.dirname(RESULTS), "logs")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}", logs, ".snakemake"):
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise InputError(f"{folder}: is no folder; move it away")
    for folder in (RESULTS, f"{RESULTS}/{names.INDICES}"):
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
    own = ".snakemake" if os.path.isdir(".snakemake") else "."
    if not os.access(own, os.W_OK):
        read_only = os.statvfs(own).f_flag & os.ST_RDONLY
        why = errno.EROFS if read_only else errno.EACCES
        raise PermissionError(why, os.strerror(why), os.path.abspath(own))


def read_request():
    """Associations and exposures of the configuration, the latter by name."""
    paths = find_files("associations", config["associations"])
    associations = [read_association(path) for path in paths]
    if config["demo"]:
        found = SIMULATED_ON_DISK
    else:
        found = find_exposures(config["exposures"], RESULTS, may_be_made=IS_MODULE)
    members = [path for association in associations for path in association.science]
    return associations, name_exposures([*found, *members])


def choice_options():
    """Options that tell which sources are wanted."""
    items = [(key, item) for key in ("sources", "exclude") for item in items_of(config[key])]
    items.append(("min-exposures", config["min_exposures"]))
    return [f"--{key}={value}" for key, value in items] + table_options("catalog")


def join_options():
    """Options that tell which slits are joined."""
    return [f"--fixed-slit-ids={config['fixed_slit_ids']}", *table_options("joins")]


def table_options(key):
    """Option with a table of the user, where the configuration names one."""
    return [f"--{key}={path}" for path in TABLES[key]]


def request_of_list():
    """What the source list is asked for; as a file, by it a run notices that this is new."""
    keys = ("group_by", "source_id_digits", "on_bad_exposure")
    options = [f"--{key.replace('_', '-')}={config[key]}" for key in keys]
    options += [*join_options(), *choice_options()]
    return request_text(EXPOSURES, ASSOCIATIONS, options, f"{RESULTS}/{names.INDICES}")


def remember(what, text, files=""):
    """Path of a text in a file of its own, called after its content, and that of files it names.

    A run has the text in its memory: nothing that is parsed beside it can change what it asks for.
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
    """Whether exposures or tables that the settings name are others than when the run began."""
    try:
        associations, exposures = read_request()
        digest = content_digest(named_files(associations))
    except (InputError, OSError):
        return True
    return (exposures, digest) != (EXPOSURES, STATE)


def named_files(associations):
    """The user's files, other than exposures, that the settings name."""
    return [*(association.path for association in associations), *sum(TABLES.values(), [])]


with told_in_a_sentence("exp_to_source"):
    check_results()
    check_configuration(
        config,
        str(ROOT / "workflow" / "schemas" / "config.schema.yaml"),
        files=[DEFAULTS, *OWN_SETTINGS, *SAID.configfiles],
    )
    ASSOCIATIONS, EXPOSURES = read_request()
    TABLES = {key: find_table(key, config[key]) for key in ("catalog", "joins")}
    # Times do not tell of a table in the place of which an older one was put.
    STATE = content_digest(named_files(ASSOCIATIONS))
    REQUEST = remember("sources", request_of_list(), STATE)
