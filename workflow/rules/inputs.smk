"""What the run is made of: its settings, the user's files, and the input functions of rules."""

with exit_on_user_error("exp-to-source"):
    RUN = resolve_run(
        config,
        RESULTS,
        SIMULATED,
        IS_MODULE,
        lambda key: locate_setting(config, [key], [DEFAULTS, *OWN_SETTINGS], sys.argv),
    )
    SPECTRA = RUN.spectra_trigger()
INPUTS = InputFunctions(RUN, IS_MODULE, SESSION.refuse)
#: Names of associations may look like those of products, which are not these.
FAMILIES = one_of(sorted(RUN.families))
