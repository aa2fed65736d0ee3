"""Classes of tissue as segments: those of the file of `pypet run`, hidden at first, gone when no longer told apart."""

import nibabel
import numpy as np
import slicer


def voxels_of(parameters, segment):
    found = slicer.util.arrayFromSegmentBinaryLabelmap(parameters.segmentation, segment, parameters.cbfVolume)
    return int(np.count_nonzero(found))


def ids_of(parameters):
    content = parameters.segmentation.GetSegmentation()
    return {content.GetNthSegmentID(i) for i in range(content.GetNumberOfSegments())}


def test_classes_of_tissue_become_segments(panel, head_files, library_run):
    parameters = panel._parameterNode
    parameters.inputSequence = panel.logic.loadFile(head_files("ctp"))
    panel.ui.runButton.click()
    assert panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text
    labels = np.asarray(nibabel.load(library_run("ctp") / "tissue.nii.gz").dataobj)
    for segment, label in (("CSF", 2), ("Large vessels", 3)):
        assert voxels_of(parameters, segment) == np.count_nonzero(labels == label) > 0
        assert not parameters.segmentation.GetDisplayNode().GetSegmentVisibility(segment)
    five = {"Brain", "AIF", "VOF", "CSF", "Large vessels"}
    assert ids_of(parameters) == five

    panel.form.field("tissue", "grey_white").checked = True
    panel.ui.runButton.click()
    assert ids_of(parameters) == five | {"Grey matter", "White matter"}
    parenchyma = voxels_of(parameters, "Grey matter") + voxels_of(parameters, "White matter")
    assert parenchyma == np.count_nonzero(labels == 1)

    # a class that the run does not tell apart would be that of an earlier one
    panel.form.field("tissue", "grey_white").checked = False
    panel.ui.runButton.click()
    assert ids_of(parameters) == five
