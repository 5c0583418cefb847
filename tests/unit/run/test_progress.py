"""Long runs tell how far they are, and little else."""

from exp_to_source.run.progress import Progress, format_time


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
