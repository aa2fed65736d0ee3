"""Brain masks, reference maps and inherited facts of scans."""

from __future__ import annotations

import pytest

from PyPeTLib.io.dataset import find_scans

SUB = "sub-01/ses-01"
STEM = "sub-01_ses-01"
SCAN = f"{SUB}/{STEM}_ctp.nii.gz"
PERF = f"{SUB}/perf/{STEM}"


class TestReferences:
    def test_what_the_original_made_is_no_reference(self, found):
        layout = found(SCAN, f"{SUB}/perfusion-maps/generated_CBF.nii.gz", f"{SUB}/perfusion-maps/{STEM}_cbf.nii.gz")
        assert [path.name for path in layout.scans[0].references.values()] == [f"{STEM}_cbf.nii.gz"]
        (sentence,) = layout.problems
        assert "made by the original PyPeT" in sentence
        assert "generated_CBF.nii.gz" in sentence

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("sub-02_ses-01_cbf.nii.gz", "subject and session"),
            ("sub-01_cbf.nii.gz", "subject and session"),
            ("cbf.nii.gz", "subject and session"),
            (f"{STEM}_rapid_cbf.nii.gz", "keys and labels"),
            (f"{STEM}_rCBF.nii.gz", "no quantity that is known"),
            (f"{STEM}_run-2_cbf.nii.gz", "belong to no scan"),
        ],
    )
    def test_odd_names_are_told_and_left_out(self, found, name, words):
        layout = found(SCAN, f"{SUB}/perfusion-maps/{name}")
        assert not layout.scans[0].references
        (sentence,) = layout.problems
        assert words in sentence
        assert name in sentence

    def test_two_maps_of_one_quantity_are_both_left_out(self, found):
        layout = found(SCAN, *(f"{SUB}/perfusion-maps/{STEM}_{name}" for name in ("cbf.nii", "cbf.nii.gz", "mtt.nii")))
        assert list(layout.scans[0].references) == ["mtt"]
        assert "reference maps of one quantity" in layout.problems[0]

    def test_what_pypet_made_is_no_reference(self, found):
        maps = f"derivatives/{SUB}/perfusion-maps"
        layout = found(SCAN, f"{maps}/{STEM}_cbf.nii.gz", **{f"{maps}/summary.json": {"software": "PyPeT"}})
        assert not layout.scans[0].references
        assert layout.problems == (f"PyPeT itself made these folders of maps, so they are no references: {maps}.",)

    def test_each_run_has_its_own(self, found):
        layout = found(
            *(f"{PERF}_run-{n}_dsc.nii.gz" for n in (1, 2)),
            *(f"{SUB}/perf/perfusion-maps/{STEM}_run-{n}_cbf.nii.gz" for n in ("01", "02")),
            f"{SUB}/perfusion-maps/{STEM}_mtt.nii.gz",
        )
        assert [scan.references["cbf"].name for scan in layout.scans] == [f"{STEM}_run-0{n}_cbf.nii.gz" for n in (1, 2)]
        (sentence,) = layout.problems
        assert "fit several scans" in sentence
        assert f"{STEM}_mtt.nii.gz" in sentence

    def test_isles_keeps_them_under_derivatives_in_another_space(self, found):
        layout = found(
            f"raw_data/{SCAN}",
            *(f"derivatives/{SUB}/perfusion-maps/{STEM}_space-ncct_{name}.nii.gz" for name in ("cbf", "tmax")),
            f"derivatives/{SUB}/{STEM}_space-ncct_ctp.nii.gz",
            "derivatives/sub-01/ses-02/sub-01_ses-02_lesion-msk.nii.gz",
        )
        (scan,) = layout.scans
        assert list(scan.references) == ["cbf", "tmax"]
        (sentence,) = layout.problems
        assert "another space" in sentence

    def test_maps_beside_the_scan_come_first(self, found):
        layout = found(
            SCAN,
            f"{SUB}/perfusion-maps/{STEM}_cbf.nii.gz",
            f"derivatives/{SUB}/perfusion-maps/{STEM}_cbf.nii.gz",
            f"derivatives/{SUB}/perfusion-maps/{STEM}_space-ncct_mtt.nii.gz",
            f"derivatives/{SUB}/perf/{STEM}_mtt.nii.gz",
            f"derivatives/{SUB}/perf/{STEM}_desc-preproc_ctp.nii.gz",
        )
        (scan,) = layout.scans
        assert scan.references["cbf"] == layout.dataset / SUB / "perfusion-maps" / f"{STEM}_cbf.nii.gz"
        assert scan.references["mtt"] == layout.dataset / "derivatives" / SUB / "perf" / f"{STEM}_mtt.nii.gz"
        assert not layout.problems


class TestMasks:
    @pytest.mark.parametrize(
        "path",
        [
            f"{SUB}/brain_mask.nii.gz",
            f"{SUB}/perf/brain_mask.nii",
            f"{PERF}_brain_mask.nii.gz",
            f"{PERF}_desc-brain_mask.nii.gz",
            f"{PERF}_run-01_desc-brain_mask.nii.gz",
            f"derivatives/{SUB}/perf/{STEM}_desc-brain_mask.nii.gz",
        ],
    )
    def test_the_mask_of_the_only_scan(self, found, path):
        layout = found(f"{PERF}_run-1_ctp.nii.gz", path)
        assert layout.scans[0].brain_mask == layout.dataset / path
        assert not layout.problems

    @pytest.mark.parametrize(
        ("paths", "words"),
        [
            ([f"{SUB}/brain_mask.nii", f"{SUB}/brain_mask.nii.gz"], "Several brain masks"),
            ([f"{SUB}/brain_mask.nii.gz", f"{PERF}_desc-brain_mask.nii.gz"], "Several brain masks"),
            ([f"{PERF}_mask.nii.gz"], "do not say in their names that they are of the brain"),
            ([f"{PERF}_desc-lesion_mask.nii.gz"], "do not say in their names that they are of the brain"),
            ([f"{PERF}_space-T1w_desc-brain_mask.nii.gz"], "another space"),
            (["sub-01/ses-01/perf/sub-01_ses-02_brain_mask.nii.gz"], "another subject or session"),
            ([f"{PERF}_run-2_brain_mask.nii.gz"], "belong to no scan"),
        ],
    )
    def test_odd_masks_are_told_and_left_out(self, found, paths, words):
        layout = found(f"{PERF}_ctp.nii.gz", *paths)
        assert layout.scans[0].brain_mask is None
        (sentence,) = layout.problems
        assert words in sentence
        assert paths[-1] in sentence

    def test_one_mask_for_two_scans_is_left_out(self, found):
        layout = found(f"{PERF}_ctp.nii.gz", f"{PERF}_dsc.nii.gz", f"{SUB}/perf/brain_mask.nii.gz")
        assert [scan.brain_mask for scan in layout.scans] == [None, None]
        assert "fit several scans" in layout.problems[0]

    def test_a_mask_that_the_original_may_have_made_is_told(self, found):
        layout = found(SCAN, f"{SUB}/brain_mask.nii.gz", f"{SUB}/perfusion-maps/generated_cbf.nii.gz")
        assert layout.scans[0].brain_mask is not None
        assert "may be those that the original PyPeT made" in layout.problems[1]


class TestFacts:
    def test_what_lies_nearer_wins_key_by_key(self, found):
        layout = found(
            f"{PERF}_dsc.nii.gz",
            **{
                "dsc.json": {"RepetitionTime": 2.0, "EchoTime": 0.04, "Modality": "MR", "SliceTiming": [0, 0.5]},
                "sub-01/sub-01_dsc.json": {"EchoTime": 0.03, "SliceEncodingDirection": "k-"},
                "sub-01/ctp.json": {"RepetitionTime": 9.0},
                "sub-01/sub-01_run-2_dsc.json": {"RepetitionTime": 8.0},
            },
        )
        (scan,) = layout.scans
        assert dict(scan.facts) == {
            "modality": "dsc",
            "frame_interval": 2.0,
            "slice_times": [0.5, 0.0],
            "echo_time": 0.03,
        }
        assert [path.relative_to(layout.dataset).as_posix() for path in scan.sidecars] == [
            "dsc.json",
            "sub-01/sub-01_dsc.json",
        ]
        assert set(scan.sidecars) < set(scan.inputs)
        assert not layout.problems

    def test_the_own_sidecar_is_left_to_the_reader_of_the_series(self, found):
        layout = found(
            f"{PERF}_dsc.nii.gz",
            **{
                f"{PERF}_dsc.json": {"VolumeTiming": [0, 1, 3], "EchoTime": 0.03},
                "dsc.json": {"RepetitionTime": 2.0, "EchoTime": 0.04},
            },
        )
        (scan,) = layout.scans
        assert dict(scan.facts) == {}
        assert [path.name for path in scan.inputs] == [f"{STEM}_dsc.json", f"{STEM}_dsc.nii.gz"]

    def test_times_come_from_the_nearest_sidecar_that_has_any(self, found):
        (scan,) = found(
            f"{PERF}_ctp.nii.gz",
            **{"ctp.json": {"VolumeTiming": [0, 1, 3]}, "sub-01/ctp.json": {"RepetitionTime": 1.5, "EchoTime": 0.1}},
        ).scans
        # CT has no echo time
        assert dict(scan.facts) == {"frame_interval": 1.5}

    def test_each_echo_has_its_own_echo_time(self, found):
        (scan,) = found(
            *(f"{PERF}_echo-{n}_dsc.nii.gz" for n in (1, 2)),
            **{"echo-1_dsc.json": {"EchoTime": 0.02}, "echo-2_dsc.json": {"EchoTime": 0.05}},
        ).scans
        assert dict(scan.facts) == {"echo_time": 0.02, "second_echo_time": 0.05}

    @pytest.mark.parametrize(("value", "modality"), [("CT", "ctp"), ("MR", "dsc")])
    def test_modality_of_a_name_that_does_not_tell(self, found, value, modality):
        (scan,) = found(f"{PERF}_perf.nii.gz", **{"perf.json": {"Modality": value}}).scans
        assert (scan.modality, dict(scan.facts)) == (modality, {"modality": modality})

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"Modality": "MR"}, "Modality in ctp.json is 'MR', the name of the series says ctp"),
            ({"RepetitionTime": "1.5"}, "RepetitionTime must be one number"),
            ({"VolumeTiming": 3}, "VolumeTiming must be a list"),
            ({"SliceTiming": [0, 1], "SliceEncodingDirection": "j"}, "SliceEncodingDirection is 'j'"),
        ],
    )
    def test_what_cannot_be_used_leaves_the_scan_out(self, found, content, words):
        layout = found("sub-02/sub-02_dsc.nii.gz", f"{PERF}_ctp.nii.gz", **{"ctp.json": content})
        assert [scan.name for scan in layout.scans] == ["sub-02_dsc"]
        assert words in layout.problems[0]

    def test_an_echo_time_in_milliseconds_is_refused(self, found):
        layout = found("sub-02/sub-02_ctp.nii.gz", f"{PERF}_dsc.nii.gz", **{"dsc.json": {"EchoTime": 30}})
        assert [scan.name for scan in layout.scans] == ["sub-02_ctp"]
        assert "must be milliseconds" in layout.problems[0]

    def test_damaged_and_ambiguous_sidecars_are_told(self, found):
        layout = found(
            f"{PERF}_ctp.nii.gz",
            **{"ctp.json": "{", "sub-01/ctp.json": {"RepetitionTime": 1}, "sub-01/sub-01_ctp.json": {}},
        )
        assert dict(layout.scans[0].facts) == {}
        several, damaged = layout.problems
        assert "sub-01/ctp.json, sub-01/sub-01_ctp.json" in several
        assert "not valid JSON" in damaged

    def test_a_contradiction_of_the_own_sidecar_is_left_to_the_reader(self, tree):
        dataset = tree(f"{PERF}_ctp.nii.gz", f"{PERF}_mrp.nii.gz", **{f"{PERF}_ctp.json": {"Modality": "MR"}})
        assert [(scan.name, scan.modality) for scan in find_scans(dataset).scans] == [
            (f"{STEM}_ctp", "auto"),
            (f"{STEM}_mrp", "dsc"),
        ]
        # but not where the reader would not notice
        tree(**{f"{PERF}_mrp.json": {"Modality": "CT"}})
        assert [scan.name for scan in find_scans(dataset).scans] == [f"{STEM}_ctp"]
