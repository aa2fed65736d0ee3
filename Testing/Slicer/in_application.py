"""The module's own tests inside the desktop application: ``make slicer-test SLICER=/path/to/Slicer``.

Slicer runs this with ``--python-script``; the exit code tells how the tests went.
"""

import traceback

import slicer


def main():
    """Run all tests of the class ``PyPeTTest`` and return an exit code."""
    try:
        slicer.selfTests["PyPeT"](msec=10)
    except Exception:  # noqa: BLE001 - whatever went wrong, the application must end with a code
        traceback.print_exc()
        print("PyPeT: the tests failed")
        return 1
    print("PyPeT: all tests passed")
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main()
    finally:
        # with --testing, Slicer puts a code of its own in place of that of sys.exit
        slicer.util.exit(code)
