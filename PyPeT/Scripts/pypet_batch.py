"""Maps from a file without a window: Slicer --no-splash --no-main-window --python-script pypet_batch.py -- --help."""

import sys
from pathlib import Path

_MODULE = Path(__file__).resolve().parents[1]


def main(argv=None):
    """Run with the arguments of the command line and return the exit code."""
    for folder in (_MODULE, _MODULE.parent):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    from PyPeTSlicer.batch import main as run

    return run(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 2
    finally:
        # without it the application would wait for a user who sees no window
        sys.exit(code)
