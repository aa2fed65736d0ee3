"""A run over a head, exported."""

from __future__ import annotations

import dataclasses

import numpy as np
import pydicom
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.io.nifti import LoadedSeries
from PyPeTLib.lesions import find_lesions
from PyPeTLib.report.dicom import check_exportable, export_dicom
from PyPeTLib.report.dicom.content import content_of

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def loaded(ct_result, making, tmp_path_factory):
    """The head's series as two frames of DICOM files: who they belong to matters, not what they show."""
    series = ct_result.series
    data = np.stack([series.frame(frame) for frame in (0, 1)], axis=-1)
    files = making.make_series(
        tmp_path_factory.mktemp("head"), data, series.affine, series.frame_times[:2], scanner_axes=False
    )
    return LoadedSeries(series=series, sources={}, files=tuple(files))


def test_a_run_becomes_maps_masks_and_lesions(ct_result, loaded, tmp_path, making):
    import highdicom  # noqa: PLC0415

    lesions = find_lesions(ct_result)
    picture = np.zeros((20, 30, 3), np.uint8)
    paths = export_dicom(ct_result, loaded, lesions, tmp_path / "dicom", picture=picture)
    assert [path.stem for path in paths] == [*ct_result.maps, "masks", "lesions", "summary"]
    assert sorted(paths) == sorted((tmp_path / "dicom").iterdir())
    assert not any(word in path.name for path in paths for word in making.WORDS_OF_THE_PATIENT)
    voxel = ct_result.series.grid.voxel_volume
    segments = highdicom.seg.segread(paths[-2])
    array = segments.get_volume(allow_missing_positions=True).array
    volumes = [float(array[..., k].sum()) * voxel / 1000 for k in range(array.shape[3])]
    assert volumes == pytest.approx([lesions.core_volume, lesions.hypoperfused_volume])
    dataset = pydicom.dcmread(paths[0])
    low = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    shown = ct_result.maps.cbf
    assert low.DoubleFloatRealWorldValueLastValueMapped == shown.values[shown.valid].max()


def test_masks_of_a_run_keep_their_meaning(ct_result):
    content = content_of(ct_result, None)
    labels = {segment.label: segment for segment in content.segments}
    assert labels["Brain mask"].given, "this run was given its brain mask"
    assert not labels["Arterial input function"].given
    np.testing.assert_array_equal(labels["Arterial input function"].mask, ct_result.aif.mask)
    np.testing.assert_array_equal(labels["CSF"].mask, ct_result.tissue.labels == 2)
    assert content.lesions == ()
    curve = dataclasses.replace(ct_result, aif=dataclasses.replace(ct_result.aif, mask=None, source="curve"))
    assert "Arterial input function" not in {segment.label for segment in content_of(curve, None).segments}


def test_masks_of_a_coarser_analysis_are_on_the_grid_of_the_maps(downsampled_result):
    shape = downsampled_result.series.grid.shape
    assert downsampled_result.working.grid.shape != shape
    content = content_of(downsampled_result, None)
    assert {segment.mask.shape for segment in content.segments} == {shape}


def test_a_run_over_other_files_is_not_exported(ct_result, tmp_path):
    loaded = LoadedSeries(series=ct_result.series, sources={})
    with pytest.raises(InputError, match="came from no DICOM files"):
        export_dicom(ct_result, loaded, None, tmp_path / "dicom")
    with pytest.raises(InputError, match="came from no DICOM files"):
        check_exportable(loaded)
