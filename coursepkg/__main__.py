"""``python -m coursepkg``: the command line."""

import sys

from coursepkg.grading.cli import main

if __name__ == "__main__":
    sys.exit(main())
