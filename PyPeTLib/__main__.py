"""``python -m PyPeTLib``: the same as the ``pypet`` command."""

from PyPeTLib.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
