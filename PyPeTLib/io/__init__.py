"""Reading what flows in, with the origin of every fact, and writing what flows out, whole or not at all."""

from PyPeTLib.io.curves import check_curve_covers, read_curve_csv, read_frame_times, read_slice_times
from PyPeTLib.io.nifti import (
    LoadedFrames,
    LoadedSeries,
    LoadedVolume,
    load_frames,
    load_series,
    read_mask,
    read_series,
    read_volume,
)
from PyPeTLib.io.output_folder import OutputFolder, check_output_folder
from PyPeTLib.io.scans import load_scan
from PyPeTLib.io.slice_timing import in_file_order
from PyPeTLib.io.toml import format_toml, read_toml, write_toml
from PyPeTLib.io.writing import write_json, write_tsv, write_volume

__all__ = [
    "LoadedFrames",
    "LoadedSeries",
    "LoadedVolume",
    "OutputFolder",
    "check_curve_covers",
    "check_output_folder",
    "format_toml",
    "in_file_order",
    "load_frames",
    "load_scan",
    "load_series",
    "read_curve_csv",
    "read_frame_times",
    "read_mask",
    "read_series",
    "read_slice_times",
    "read_toml",
    "read_volume",
    "write_json",
    "write_toml",
    "write_tsv",
    "write_volume",
]
