"""Files that must be made again although their times do not show it."""


def outdated_files():
    """Find files that must be made again although their times do not show it."""
    indices = {index_path(RESULTS, name): path for name, path in EXPOSURES.items()}
    yield from (index for index, path in indices.items() if is_index_outdated(index, path))
    prints = {f"{RESULTS}/{names.FINGERPRINTS}/{n}.jsonl": path for n, path in EXPOSURES.items()}
    yield from (file for file, path in prints.items() if is_fingerprint_outdated(file, path))
    request, text = in_results(REQUEST), TEXTS[os.path.basename(REQUEST)]
    if os.path.exists(request) and not has_content(request, text.encode()):
        yield request
    if is_list_outdated(in_results(TABLE), in_results(REQUEST), indices):
        yield in_results(TABLE)
    if not os.path.exists(in_results(CONFIGURATION)):
        yield f"{RESULTS}/{names.REPORT}"
    yield from filter(is_empty, failed_files(RESULTS))
    previous = names_in(f"{RESULTS}/{names.PREVIOUS}")
    kept = (f"{RESULTS}/{names.PRODUCTS}/{name}" for name in previous)
    yield from filter(is_due, kept)


@cache
def force_outdated():
    """Have outdated files made again, if they are requested.

    Jobs resolve their files in separate processes, which need no search.
    """
    if SAID.is_job:
        return
    with told_in_a_sentence("exp_to_source"):
        have_made_again(outdated_files)


def changes_of_the_run(start):
    """Exposures that changed after this run had indexed them."""
    indices = {path: index_path(RESULTS, name) for name, path in EXPOSURES.items()}
    return [path for path, index in indices.items() if changed_since(start, index, path)]
