"""Long runs tell how far they are, and little else."""

from exp_to_source.run.progress import MAX_FAILURES, Progress, format_size, format_time


def test_lines_are_few_and_true():
    time = 0.0
    progress = Progress(lambda: time)
    said = []
    for total, first, last in ((31, 1, 30), (5031, 31, 5031)):
        for done in range(first, last + 1):
            # Indices take a second, gathers a twentieth.
            time += 1 if total == 31 else 0.05
            if line := progress.step(done, total):
                said.append((round(time), line))
    assert said[0] == (5, "5 of 31 jobs done, 1 a second, about 26 s left")
    # After the checkpoint, what indices took says nothing of gathers.
    assert said[-1][1].endswith(" of 5031 jobs done, 20 a second, about 58 s left")
    assert len(said) < 12
    assert progress.step(5031, 5031) == ""


def test_times():
    assert [format_time(t) for t in (0.44, 9.4, 59.4, 61, 3599, 3600, 90000)] == [
        *("0.4 s", "9.4 s", "59 s", "1 min 1 s", "59 min 59 s", "1 h 0 min", "25 h 0 min"),
    ]  # fmt: skip


def test_sizes():
    assert [format_size(n) for n in (12, 1200, 2_440_000, 3_210_000_000)] == [
        *("12 bytes", "1.2 kB", "2.4 MB", "3.2 GB"),
    ]  # fmt: skip


def test_many_failures_are_not_all_told_at_once():
    progress = Progress(lambda: 0.0)
    said = [progress.failure("gather_source", [f"{n}.log"]) for n in range(MAX_FAILURES + 5)]
    assert said[0] == "failed: gather_source, see 0.log"
    assert said[MAX_FAILURES - 1].endswith("; further failures are told at the end")
    assert not any(said[MAX_FAILURES:])
