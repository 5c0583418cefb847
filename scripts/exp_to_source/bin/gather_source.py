"""Write one source-based product: 'exp-to-source gather' with a bare start.

With ``python -S -E`` it takes a third of the time, without site-packages and argparse.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
import exp_to_source  # noqa: F401

# As in start.py.
sys.path.pop(0)
from exp_to_source.gather.product import run

if len(sys.argv) in (3, 4) and not any(word.startswith("-") for word in sys.argv[1:]):
    run(*sys.argv[1:])
    # Nothing is left to flush or to close, and the usual end of Python is a tenth of a gather.
    os._exit(0)

from exp_to_source.cli import main

main(["gather", *sys.argv[1:]])
