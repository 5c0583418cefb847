"""What the run is made of: its settings, the user's files, and the input functions of rules."""

with exit_on_user_error():
    INPUTS = InputFunctions(
        partial(
            resolve_run,
            config,
            RESULTS,
            SIMULATED,
            IS_MODULE,
            lambda key: locate_setting(config, [key], [DEFAULTS, *OWN_SETTINGS], sys.argv),
        ),
        IS_MODULE,
        SESSION.fail,
    )
#: As it is before associations are fetched, after which INPUTS.run is another.
RUN = INPUTS.run
#: Names of associations may look like those of products, which are not these.
FAMILIES = one_of(sorted(RUN.families))
