"""Names the system libraries that Qt and offscreen rendering need and this machine lacks.

Run by ``make test`` before anything else; prints the one line that installs them, and ends with 1, where some are
missing. Knows nothing of the host, so that any Python can run it.
"""

import ctypes
import ctypes.util
import sys

PACKAGES = {
    "libegl1": "libEGL.so.1",
    "libgl1": "libGL.so.1",
    "libopengl0": "libOpenGL.so.0",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libdbus-1-3": "libdbus-1.so.3",
    "fontconfig": "libfontconfig.so.1",
}
"""Debian's and Ubuntu's packages, and the library that each brings."""


def missing():
    """Packages whose library cannot be loaded."""
    return [package for package, library in PACKAGES.items() if not loads(library)]


def loads(library):
    """Whether a shared library is there."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def main():
    """Print what is missing and how to install it."""
    if not sys.platform.startswith("linux"):
        return 0
    packages = missing()
    if packages:
        print(f"The tests of the Slicer module need system libraries that are missing: {', '.join(packages)}.")
        print(f"Install them:  sudo apt-get install -y {' '.join(packages)}")
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
