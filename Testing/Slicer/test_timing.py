"""Frame times, echo time and modality from what a sequence says, in their order; nothing is assumed."""

import numpy as np
import pytest
import slicer

from PyPeTLib.errors import InputError
from PyPeTLib.series import Modality
from PyPeTSlicer.timing import SequenceFacts, echo_time, frame_times, modality, offered_interval

N = 12


def facts(values=None, unit="", name="Series", **attributes):
    values = tuple(str(i) for i in range(N)) if values is None else tuple(values)
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return SequenceFacts(name=name, index_unit=unit, index_values=values, attributes=named)


def labels(times, unit):
    listed = ",".join(f"{time:g}" for time in times)
    return {"MultiVolume__FrameLabels": listed, "MultiVolume__FrameIdentifyingDICOMTagUnits": unit}


@pytest.mark.parametrize(
    ("unit", "factor"), [("ms", 1000), ("sec", 1), ("s", 1), ("us", 1e6), ("msec", 1000), ("MS", 1000)]
)
def test_labels_of_an_importer_are_read_with_their_unit(unit, factor):
    times, source = frame_times(facts(**labels([factor * 1.5 * i for i in range(N)], unit)))
    np.testing.assert_allclose(times, 1.5 * np.arange(N))
    assert "FrameLabels" in source


def test_uneven_steps_are_normal():
    given = [0, 1, 2, 3, 4, 7, 10, 13, 16, 19, 22, 25]
    times, _ = frame_times(facts(**labels([1000 * t for t in given], "ms")))
    np.testing.assert_allclose(times, given)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000), ("second", 1)])
def test_numeric_index_with_a_unit_of_time(unit, factor):
    times, source = frame_times(facts([f"{factor * 2 * i:g}" for i in range(N)], unit))
    np.testing.assert_allclose(times, 2 * np.arange(N))
    assert "index of the sequence" in source


def test_the_user_wins_then_labels_then_the_index():
    everything = facts([f"{3 * i}" for i in range(N)], "s", **labels([2000 * i for i in range(N)], "ms"))
    assert frame_times(everything, "1.25")[0][1] == 1.25
    assert frame_times(everything)[0][1] == 2.0
    without_labels = facts([f"{3 * i}" for i in range(N)], "s")
    assert frame_times(without_labels)[0][1] == 3.0


def test_a_list_of_times_from_the_user():
    text = "0, 1; 2 3 4 5 6 7 8 10 12 14"
    np.testing.assert_allclose(frame_times(facts(), text)[0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14])


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (facts(), "no unit of time"),
        (facts(unit="count"), "'count' is no unit of time"),
        (facts(**labels(range(N), "count")), "'count' is no unit of time"),
        (facts(**labels(range(N), "")), "no unit of time"),
        (facts(**labels([1000 * i for i in range(N - 1)], "ms")), "11 frame times were given for 12 frames"),
        (facts(**labels([0, 0, *range(1000, 11000, 1000)], "ms")), "must increase"),
        (facts(**labels(range(N), "ms")), "0.001"),
        (facts(**labels([1000 * i for i in range(N)], "s")), "1000"),
        (facts([f"{30 * i}" for i in range(N)], "s"), "not plausible"),
        (facts([f"{0.1 * i:g}" for i in range(N)], "s"), "not plausible"),
        (facts([f"frame {i}" for i in range(N)], "s"), "not all of them are numbers"),
        (facts(["0"] * N, "s"), "must increase"),
        (facts(["nan"] * N, "s"), "NaN"),
    ],
)
def test_times_that_cannot_be_right_are_asked_for(case, says):
    with pytest.raises(InputError, match="the frame times are unknown") as caught:
        frame_times(case)
    assert says in str(caught.value)
    assert "--frame-interval" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fast", "must be numbers in seconds, found 'fast'"),
        ("0", "above 0"),
        ("-1", "above 0"),
        ("nan", "above 0"),
        ("1 2 3", "3 frame times were given for 12 frames"),
        ("1500", "Times are given in seconds"),
    ],
)
def test_wrong_times_of_the_user_are_refused(text, says):
    with pytest.raises(InputError) as caught:
        frame_times(facts(), text)
    assert says in str(caught.value)


def test_repetition_time_is_offered_not_taken():
    case = facts(MultiVolume__DICOM__RepetitionTime="1500")
    assert offered_interval(case) == 1.5
    with pytest.raises(InputError, match="unknown"):
        frame_times(case)
    for value in ("5.2", "60000", "", "fast", "-1500", "inf"):
        assert offered_interval(facts(MultiVolume__DICOM__RepetitionTime=value)) is None


def test_echo_time_in_ms():
    assert echo_time(facts(MultiVolume__DICOM__EchoTime="30")) == pytest.approx(0.03)
    assert echo_time(facts(PyPeT__EchoTime="25", MultiVolume__DICOM__EchoTime="30")) == pytest.approx(0.025)
    assert echo_time(facts()) is None


def test_modality_from_attributes_name_or_hounsfield_values(heads):
    assert modality(facts(PyPeT__Modality="dsc"))[0] is Modality.DSC
    assert modality(facts(DICOM__Modality="CT"))[0] is Modality.CTP
    assert modality(facts(MultiVolume__DICOM__EchoTime="30"))[0] is Modality.DSC
    assert modality(facts(name="sub-01_ctp"))[0] is Modality.CTP
    assert modality(facts(), heads("ctp").series.array()[..., 0])[0] is Modality.CTP
    assert modality(facts(), heads("dsc").series.array()[..., 0])[0] is None
    assert modality(facts(DICOM__Modality="PT"))[0] is None


def test_facts_of_a_node_fall_back_to_its_first_frame(host):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "Node")
    volume = slicer.vtkMRMLScalarVolumeNode()
    volume.SetAttribute("MultiVolume.DICOM.EchoTime", "40")
    node.SetDataNodeAtValue(volume, "0")
    node.SetIndexUnit("s")
    found = SequenceFacts.of(node)
    assert (found.name, found.n_frames, found.index_unit) == ("Node", 1, "s")
    assert echo_time(found) == pytest.approx(0.04)
