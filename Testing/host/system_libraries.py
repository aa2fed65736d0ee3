"""Names the system libraries and programs that the tests need and this machine lacks.

Run by ``make test`` before anything else; prints the one line that installs them, and ends with 1, where some are
missing. Knows nothing of the host, so that any Python can run it.
"""

import ctypes
import ctypes.util
import shutil
import sys

LIBRARIES = {
    "libegl1": "libEGL.so.1",
    "libgl1": "libGL.so.1",
    "libopengl0": "libOpenGL.so.0",
    "libxkbcommon0": "libxkbcommon.so.0",
    "libdbus-1-3": "libdbus-1.so.3",
    "fontconfig": "libfontconfig.so.1",
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
}
"""Debian's and Ubuntu's packages, and the library that each brings: for Qt, offscreen rendering and PDF."""

PROGRAMS = {"chromium": "chromium", "chromium-driver": "chromedriver", "dicom3tools": "dciodvfy"}
"""Likewise with programs: a browser for the reports, and a judge of DICOM files."""


def missing():
    """Packages whose library or program is not there."""
    return [
        *(package for package, library in LIBRARIES.items() if not loads(library)),
        *(package for package, program in PROGRAMS.items() if shutil.which(program) is None),
    ]


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
        print(f"The tests need system libraries and programs that are missing: {', '.join(packages)}.")
        print(f"Install them:  sudo apt-get install -y {' '.join(packages)}")
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
