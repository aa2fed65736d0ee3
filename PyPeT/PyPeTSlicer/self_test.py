"""The module's own tests, for the class ``PyPeTTest``: each works alone, on phantoms made in code."""

from __future__ import annotations

from typing import Any

import slicer

import PyPeTSlicer


class SelfTest:
    """Test methods for a ``ScriptedLoadableModuleTest`` that has a method ``newLogic``."""

    def _parameters(self: Any, modality: str, name: str) -> tuple[Any, Any]:
        """Parameters of a small phantom, as they are proposed."""
        logic = self.newLogic()
        parameters = logic.getParameterNode()
        parameters.inputSequence = PyPeTSlicer.sample_data.add_phantom(modality, name, seed=1, shape=(80, 80, 12))
        logic.adopt(parameters)
        return logic, parameters

    def test_phantoms_give_maps_segments_and_tables(self: Any) -> None:
        """A run on each modality writes five maps, three segments, curves, a plot and a summary."""
        for modality in ("ctp", "dsc"):
            self.delayDisplay(f"A {modality} phantom")
            logic, parameters = self._parameters(modality, f"Test {modality}")
            self.assertEqual(logic.missing(parameters), "")
            outputs = logic.process(parameters)
            self.assertEqual(set(outputs.volumes), {"cbf", "cbv", "mtt", "ttp", "tmax"})
            for node in outputs.volumes.values():
                self.assertGreater(slicer.util.arrayFromVolume(node).max(), 0)
            mask = slicer.util.arrayFromSegmentBinaryLabelmap(outputs.segmentation, "Brain", outputs.volumes["cbf"])
            self.assertGreater(mask.sum(), 1000)
            self.assertGreater(outputs.curves.GetNumberOfRows(), 40)
            self.assertEqual(outputs.chart.GetNumberOfPlotSeriesNodes(), 4)
            self.assertGreater(outputs.summary.GetNumberOfRows(), 10)
            self.assertEqual(outputs.lesions.GetSegmentation().GetNumberOfSegments(), 3)
            self.assertGreater(outputs.lesion_volumes.GetNumberOfRows(), 10)

    def test_the_second_run_writes_into_the_same_nodes(self: Any) -> None:
        """No node is added by a second run."""
        logic, parameters = self._parameters("ctp", "Again")
        first = logic.process(parameters)
        count = slicer.mrmlScene.GetNumberOfNodes()
        second = logic.process(parameters)
        self.assertEqual(first.volumes, second.volumes)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), count)

    def test_cancel_leaves_the_scene_as_it_was(self: Any) -> None:
        """A cancelled run raises and adds nothing."""
        logic, parameters = self._parameters("ctp", "Cancelled")
        count = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(PyPeTSlicer.running.CancelledError):
            logic.process(parameters, cancelled=lambda: True)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), count)

    def test_missing_facts_are_named(self: Any) -> None:
        """DSC without an echo time cannot be run, and the reason says so."""
        logic, parameters = self._parameters("dsc", "Untold")
        parameters.echoTime = 0
        self.assertIn("echo time", logic.missing(parameters))

    def test_a_correction_runs_what_lies_behind_it(self: Any) -> None:
        """Another artery is another deconvolution, and nothing before it."""
        from PyPeTSlicer.review import candidates  # noqa: PLC0415 - with the others, when it is needed

        logic, parameters = self._parameters("ctp", "Corrected")
        logic.process(parameters)
        subject = logic.subject(parameters)
        candidates.keep(subject)
        PyPeTSlicer.steering.artery_of_candidate(parameters, subject, candidates.count(subject) - 1)
        logic.process(parameters)
        self.assertEqual(logic.session.memory.ran, ["aif", "deconvolution", "maps"])
        self.assertEqual(PyPeTSlicer.steering.of_user(logic.subject(parameters)), ["AIF"])

    def test_every_step_of_the_review_opens(self: Any) -> None:
        """Each step has its views, and the user's layout comes back."""
        manager = slicer.app.layoutManager()
        if manager is None:
            self.skipTest("there is no main window")
        from PyPeTSlicer.review.steps import STEPS, Review  # noqa: PLC0415 - as above

        before = manager.layout
        logic, parameters = self._parameters("dsc", "Reviewed")
        logic.process(parameters)
        review = Review(logic.views)
        for step in STEPS:
            self.delayDisplay(f"The step {step.name}")
            review.open(step, logic.subject(parameters))
            self.assertEqual(manager.layout, step.layout)
            composite = slicer.app.applicationLogic().GetSliceLogicByLayoutName("PyPeT1").GetSliceCompositeNode()
            self.assertIsNotNone(composite.GetBackgroundVolumeID())
        review.leave()
        self.assertEqual(manager.layout, before)

    def test_a_pet_is_predicted(self: Any) -> None:
        """A model that was trained on made heads predicts another one's PET, and it is compared with the real one."""
        # with the others, when they are needed: none of them is when the application starts
        from PyPeTLib.phantom.pairs import make_pairs  # noqa: PLC0415
        from PyPeTLib.synthesis import SynthesisOptions, fit  # noqa: PLC0415

        pairs = make_pairs(train=3, test=1, size=24)
        (made,) = fit((one.subject for one in pairs.train()), SynthesisOptions(patches=8))
        head = next(pairs.test()).subject
        volumes: dict[str, Any] = {}
        images: dict[str, Any] = {**head.contrasts, "PET": head.pet}
        for name, image in images.items():
            volumes[name] = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"Test {name}")
            slicer.util.updateVolumeFromArray(volumes[name], image.transpose(2, 1, 0).copy())
            volumes[name].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(head.grid.affine))
        pet = volumes.pop("PET")
        nodes = self.newLogic().synthesise(made.model, volumes, pet=pet)
        predicted = slicer.util.arrayFromVolume(nodes.predicted)
        self.assertEqual(predicted.shape, slicer.util.arrayFromVolume(pet).shape)
        self.assertGreater(predicted.max(), 0)
        self.assertGreater(nodes.table.GetNumberOfRows(), 10)

    def test_the_panel_runs_by_its_button(self: Any) -> None:
        """Choosing a series and pressing Run is enough."""
        if slicer.util.mainWindow() is None:
            self.skipTest("there is no main window")
        slicer.util.selectModule("PyPeT")
        panel = slicer.modules.PyPeTWidget
        panel._parameterNode.inputSequence = PyPeTSlicer.sample_data.add_phantom(
            "ctp", "Panel", seed=1, shape=(80, 80, 12)
        )
        self.assertTrue(panel.ui.runButton.enabled, panel.ui.runButton.toolTip)
        panel.ui.runButton.click()
        self.assertTrue(panel.ui.statusLabel.text.startswith("Done"), panel.ui.statusLabel.text)
