#!/usr/bin/env python3
"""Start the command line of the package that this file is in, installed or not."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
import exp_to_source  # noqa: F401

# The package has its modules now; what else is installed beside it may be of another Python.
sys.path.pop(0)
from exp_to_source.cli import main

main()
