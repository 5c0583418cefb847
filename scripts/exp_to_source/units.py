"""Times and sizes for people."""

UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "bytes"))


def format_time(seconds: float) -> str:
    """Format a time as ``2 min 5 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole >= 10 else f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def format_size(size: int) -> str:
    """Format a size in bytes as ``2.4 MB``."""
    factor, unit = next((f, u) for f, u in UNITS if size >= f or f == 1)
    return f"{size / factor:.1f} {unit}" if factor > 1 else f"{size} bytes"
