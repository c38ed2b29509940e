"""`python -m backprop`: the command line."""

import sys

from backprop.cli import main

sys.exit(main())
