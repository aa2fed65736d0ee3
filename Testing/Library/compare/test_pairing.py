"""Names of maps: read by words, paired, never guessed."""

import pytest

from PyPeTLib.compare import pair_by_name, quantity_of_name, read_name
from PyPeTLib.maps import QUANTITIES


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("sub-01_ses-1_cbf.nii.gz", "cbf"),
        ("perfusion-maps/sub-01_ses-02_tmax.nii.gz", "tmax"),
        ("sub-cbf_ses-1_mtt.nii", "mtt"),
        (r"C:\CBV\x_mtt.nii", "mtt"),
        ("/data/tmax/study/TTP.NRRD", "ttp"),
        ("generated_CBF", "cbf"),
        ("generated_cbf", "cbf"),
        ("generatedTTP", "ttp"),
        ("rCBF", "cbf"),
        ("RAPID Tmax [s]", "tmax"),
        ("CBF [ml/100g/min]", "cbf"),
        ("MTT_ref", "mtt"),
        ("refMTT", "mtt"),
        ("Head CBF", "cbf"),
        ("Head 0 (ctp) Tmax", "tmax"),
        ("TMAX", "tmax"),
        ("T max", "tmax"),
        ("Time to maximum of the residue function", "tmax"),
        ("time-to-peak", "ttp"),
        ("Time to peak (TTP)", "ttp"),
        ("Cerebral blood volume", "cbv"),
        ("CBVmap", "cbv"),
        ("cbf_sd", "cbf_sd"),
        ("Uncertainty of MTT", "mtt_sd"),
        ("bolus arrival time", "bat"),
    ],
)
def test_names_that_say_a_quantity(name, quantity) -> None:
    assert quantity_of_name(name) == quantity


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("attptest", "names no quantity"),
        ("tmaxed", "names no quantity"),
        ("time", "names no quantity"),
        ("map.nii.gz", "names no quantity"),
        ("", "names no quantity"),
        ("cbf_cbv", "more than one quantity: CBF and CBV"),
        ("TTP and Tmax", "more than one quantity"),
        ("CBF mask", "names 'mask'"),
        ("Tmax lesion", "names 'lesion'"),
        ("difference_cbf", "names 'difference'"),
        ("SD Tmax", "an uncertainty that is not known"),
    ],
)
def test_names_that_do_not(name, reason) -> None:
    reading = read_name(name)
    assert reading.quantity is None
    assert reason in reading.reason


@pytest.mark.parametrize("quantity", [q for q in QUANTITIES.values() if q.name not in ("shape",)], ids=lambda q: q.name)
def test_the_names_that_this_library_gives_are_read(quantity) -> None:
    assert quantity_of_name(f"sub-1_{quantity.name}.nii.gz") == quantity.name
    if quantity.symbol not in ("PH", "Ta", "SD Ta"):
        assert quantity_of_name(f"Series 3 {quantity.symbol}") == quantity.name


def test_pairs() -> None:
    pairing = pair_by_name(
        ["Head CBF", "Head Tmax", "Head MTT", "Head CBV"],
        ["sub-1_cbf.nii.gz", "RAPID TMAX", "scout", "rMTT", "mtt", "TTP"],
    )
    assert [(p.quantity, p.generated, p.reference) for p in pairing.pairs] == [
        ("cbf", "Head CBF", "sub-1_cbf.nii.gz"),
        ("tmax", "Head Tmax", "RAPID TMAX"),
    ]
    said = "\n".join(pairing.notes)
    for sentence in (
        "'scout' names no quantity",
        "Several references are of MTT: 'rMTT', 'mtt'. Choose one of them.",
        "'Head CBV' has no reference.",
        "'TTP' has no generated map.",
    ):
        assert sentence in said
    assert "Head MTT" not in [p.generated for p in pairing.pairs]


def test_several_generated_maps_are_not_paired() -> None:
    pairing = pair_by_name(["run 1 CBF", "run 2 CBF"], ["cbf.nii"])
    assert pairing.pairs == ()
    assert any("Several generated maps are of CBF" in note for note in pairing.notes)
