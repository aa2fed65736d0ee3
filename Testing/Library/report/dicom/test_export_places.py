"""Where the voxels of exported objects lie, held against the source files and against the patient's axes."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from PyPeTLib.report.dicom.export import write_content

from .conftest import GRIDS, SHAPE, UPRIGHT, a_map, a_segment, left_handed

pytestmark = pytest.mark.extras


def ras_places(dataset, frame: int) -> np.ndarray:
    """Places of a frame's pixels, shape (rows, columns, 3), from its own position, orientation and spacing."""
    shared, own = dataset.SharedFunctionalGroupsSequence[0], dataset.PerFrameFunctionalGroupsSequence[frame]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    down, along = (float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing)
    origin = np.array(own.PlanePositionSequence[0].ImagePositionPatient, float)
    row, column = np.mgrid[: dataset.Rows, : dataset.Columns]
    lps = origin + column[..., None] * along * cosines[:3] + row[..., None] * down * cosines[3:]
    return lps * [-1, -1, 1]


def floats(dataset) -> np.ndarray:
    return np.frombuffer(dataset.FloatPixelData, "<f4").reshape(-1, dataset.Rows, dataset.Columns)


@pytest.fixture(
    scope="module",
    params=[
        *((grid, {}) for grid in GRIDS),
        ("oblique", {"enhanced": True, "modality": "dsc", "shuffle": 3}),
        ("upright", {"enhanced": True, "per_volume": True}),
    ],
    ids=lambda param: " ".join([param[0], *map(str, param[1])]),
)
def placed(request, make_pieces, tmp_path_factory):
    grid, options = request.param
    pieces = make_pieces(GRIDS[grid], **options)
    low = pieces.data[..., 0] < np.median(pieces.data[..., 0])
    content = pieces.content(maps=(pieces.frame_map(),), lesions=(a_segment("Low", low),))
    paths = write_content(content, pieces.loaded.files, tmp_path_factory.mktemp("out"))
    return pieces, low, *map(pydicom.dcmread, paths)


def source_images(pieces):
    """(file, frame number or 0, position, orientation, pixels) of all source images."""
    for path in pieces.loaded.files:
        source = pydicom.dcmread(path)
        if "PerFrameFunctionalGroupsSequence" not in source:
            pixels = source.pixel_array * float(source.RescaleSlope) + float(source.RescaleIntercept)
            yield source, 0, source.ImagePositionPatient, source.ImageOrientationPatient, pixels
            continue
        shared = source.SharedFunctionalGroupsSequence[0]
        stored = source.pixel_array
        for number, group in enumerate(source.PerFrameFunctionalGroupsSequence, 1):
            scale = group.PixelValueTransformationSequence[0]
            pixels = stored[number - 1] * float(scale.RescaleSlope) + float(scale.RescaleIntercept)
            position = group.PlanePositionSequence[0].ImagePositionPatient
            yield source, number, position, shared.PlaneOrientationSequence[0].ImageOrientationPatient, pixels


def test_a_map_of_the_first_frame_equals_the_source_images_in_the_same_planes(placed):
    pieces, _, shown, _ = placed
    orientation = shown.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    first = {}
    for *_, position, cosines, pixels in source_images(pieces):
        np.testing.assert_allclose(np.array(cosines, float), np.array(orientation, float), atol=1e-6)
        if pixels.max() < 1000:
            first[tuple(round(float(value), 3) for value in position)] = pixels
    assert len(first) == SHAPE[2]
    for group, values in zip(shown.PerFrameFunctionalGroupsSequence, floats(shown), strict=True):
        position = group.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_array_equal(values, first.pop(tuple(round(float(value), 3) for value in position)))


def test_voxels_lie_where_they_lie_in_the_patient(placed):
    pieces, low, shown, lesions = placed
    bits = np.unpackbits(np.frombuffer(lesions.PixelData, np.uint8), bitorder="little")
    bits = bits[: lesions.NumberOfFrames * SHAPE[0] * SHAPE[1]].reshape(-1, SHAPE[1], SHAPE[0])
    for dataset, frames, expected in ((shown, floats(shown), pieces.data[..., 0]), (lesions, bits, low)):
        found = np.zeros(SHAPE)
        for number, values in enumerate(frames):
            index = (ras_places(dataset, number) - pieces.affine[:3, 3]) @ np.linalg.inv(pieces.affine[:3, :3]).T
            assert np.abs(index - np.rint(index)).max() < 1e-4
            found[tuple(np.moveaxis(np.rint(index).astype(int), -1, 0))] = values
        np.testing.assert_array_equal(found, expected)


def test_frames_refer_to_the_source_images_of_their_planes(placed):
    pieces, _, shown, lesions = placed
    at: dict[tuple, set] = {}
    for source, number, position, *_ in source_images(pieces):
        place = tuple(round(float(value), 3) for value in position)
        at.setdefault(place, set()).add((source.SOPInstanceUID, number))
    for dataset, times in ((shown, 8), (lesions, 1)):
        for group in dataset.PerFrameFunctionalGroupsSequence:
            position = group.PlanePositionSequence[0].ImagePositionPatient
            referred = set()
            for item in group.DerivationImageSequence[0].SourceImageSequence:
                numbers = item.get("ReferencedFrameNumber", 0)
                numbers = [numbers] if isinstance(numbers, int) else numbers
                referred |= {(item.ReferencedSOPInstanceUID, int(number)) for number in numbers}
                assert item.SpatialLocationsPreserved == "YES"
            assert len(referred) == times
            assert referred <= at[tuple(round(float(value), 3) for value in position)]
        (series,) = dataset.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == pydicom.dcmread(pieces.loaded.files[0]).SeriesInstanceUID
        assert len(series.ReferencedInstanceSequence) == len(pieces.loaded.files)


def test_slices_stacked_against_their_normal_keep_their_places(upright, tmp_path):
    # told by hand: the first voxel of the RAS+ grid is the leftmost, hindmost and lowest one
    places = {"left": (0, 4, 2), "right": (8, 4, 2), "front": (4, 7, 2), "back": (4, 0, 2), "top": (4, 4, 4)}
    values = np.zeros(SHAPE, np.float32)
    for number, place in enumerate(places.values(), 1):
        values[place] = number
    orientation = left_handed(SHAPE, UPRIGHT)
    assert np.linalg.det(orientation.native.affine[:3, :3]) < 0
    content = upright.content(maps=(a_map("cbf", values, UPRIGHT),))
    content = type(content)(orientation=orientation, maps=content.maps)
    (path,) = write_content(content, upright.loaded.files, tmp_path / "out")
    dataset = pydicom.dcmread(path)
    expected = {"left": (-7, -1, 40), "right": (9, -1, 40), "front": (1, 6.5, 40), "back": (1, -11, 40)}
    expected["top"] = (1, -1, 50)
    for number, name in enumerate(places, 1):
        frame, row, column = map(int, np.argwhere(floats(dataset) == number)[0])
        np.testing.assert_allclose(ras_places(dataset, frame)[row, column], expected[name], atol=1e-4)


def test_other_readers_find_the_same_geometry(make_pieces, tmp_path):
    import highdicom  # noqa: PLC0415
    import SimpleITK as sitk  # noqa: PLC0415, N813

    pieces = make_pieces(GRIDS["oblique"])
    mask = np.zeros(SHAPE, bool)
    mask[6:, 5:, 1:4] = True
    content = pieces.content(maps=(pieces.frame_map(),), lesions=(a_segment("Corner", mask),))
    shown, lesions = write_content(content, pieces.loaded.files, tmp_path / "out")
    # ITK reads no float pixels, but segments
    image = sitk.ReadImage(str(lesions))
    found = np.zeros(SHAPE, bool)
    for voxel in np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]:
        ras = np.array(image.TransformIndexToPhysicalPoint(voxel.tolist())) * [-1, -1, 1]
        found[tuple(np.rint(np.linalg.inv(pieces.affine) @ [*ras, 1])[:3].astype(int))] = True
    np.testing.assert_array_equal(found, mask)
    volume = highdicom.imread(shown).get_volume(apply_real_world_transform=True)
    segments = highdicom.seg.segread(lesions).get_volume()
    for read, expected in ((volume, pieces.data[..., 0]), (segments, mask)):
        array = read.array if read.array.ndim == 3 else read.array[..., 0]
        index = np.argwhere(np.ones(array.shape, bool))
        ras = (read.affine @ np.c_[index, np.ones(len(index))].T).T[:, :3] * [-1, -1, 1]
        voxels = np.rint(np.linalg.inv(pieces.affine) @ np.c_[ras, np.ones(len(ras))].T)[:3].astype(int)
        np.testing.assert_array_equal(array.ravel(), expected[tuple(voxels)])
