"""Presets: the options for one purpose, under a name and with their sources; each is a TOML file in this folder.

`preset_names` lists them, `read_preset` reads one of them or a file, `write_preset` writes one of your own. A preset
says how a series is processed, not which series: masks, echo times and the like are no part of it. To add one, put a
file here and name it in ``CMakeLists.txt``.
"""

from PyPeTLib.presets.presets import (
    Preset,
    Tables,
    merged,
    preset_file,
    preset_names,
    preset_text,
    presets,
    read_preset,
    write_preset,
)

__all__ = [
    "Preset",
    "Tables",
    "merged",
    "preset_file",
    "preset_names",
    "preset_text",
    "presets",
    "read_preset",
    "write_preset",
]
