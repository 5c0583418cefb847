"""Files that must be made again although their times do not show it."""


def outdated_files():
    """Find files that must be made again although their times do not show it."""
    indices = {name: index_path(RESULTS, name) for name in EXPOSURES}
    for name, path in EXPOSURES.items():
        if name in MEMBERS and is_prepared_outdated(indices[name], path):
            yield from (path, indices[name])
        elif name not in MEMBERS and is_index_outdated(indices[name], path, name in NAMED):
            yield indices[name]
    for name in outdated_surveys():
        yield from (survey_path(RESULTS, name), background_path(RESULTS, name))
    prints = {f"{RESULTS}/{names.FINGERPRINTS}/{n}.jsonl": path for n, path in EXPOSURES.items()}
    yield from (file for file, path in prints.items() if is_fingerprint_outdated(file, path))
    request, text = in_results(REQUEST), TEXTS[os.path.basename(REQUEST)]
    if os.path.exists(request) and not has_content(request, text.encode()):
        yield request
    if is_list_outdated(in_results(TABLE), in_results(REQUEST), indices.values()):
        yield in_results(TABLE)
    if not os.path.exists(in_results(CONFIGURATION)):
        yield f"{RESULTS}/{names.REPORT}"
    yield from filter(is_empty, failed_files(RESULTS))


@cache
def is_listed():
    """Whether the source list is there, answers the request, and is not older than its exposures."""
    table = in_results(TABLE)
    indices = {index_path(RESULTS, name): path for name, path in EXPOSURES.items()}
    made = {table: [in_results(REQUEST), *indices]}
    made |= {index: [path] for index, path in indices.items()}
    made |= {EXPOSURES[name]: [member.path] for name, member in MEMBERS.items()}
    surveys = [survey_path(RESULTS, name) for name in NAMED_ASSOCIATIONS]
    with exit_on_user_error("exp_to_source"):
        return (
            os.path.exists(in_results(ANSWERED))
            and not any(is_absent_or_older(path, of) for path, of in made.items())
            and not {table, *indices, *surveys} & set(outdated_files())
        )


@cache
def force_outdated():
    """Have outdated files made again, if they are requested.

    Jobs resolve their files in separate processes, which need no search.
    """
    if SAID.is_job:
        return
    with exit_on_user_error("exp_to_source"):
        have_made_again(outdated_files)


def outdated_surveys():
    """Associations of which a file is not the one that its exposures were prepared with."""
    return [
        name
        for name, association in NAMED_ASSOCIATIONS.items()
        if is_survey_outdated(survey_path(RESULTS, name), (association.path, *association.members))
    ]


def changes_of_the_run(start):
    """Exposures that changed after this run had indexed them, and associations likewise."""
    indices = {path: index_path(RESULTS, name) for name, path in EXPOSURES.items()}
    changed = [path for path, index in indices.items() if changed_since(start, index, path)]
    return changed + [NAMED_ASSOCIATIONS[name].path for name in outdated_surveys()]
