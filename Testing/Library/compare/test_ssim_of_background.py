"""The paper's SSIM counts the background, the one in the brain does not, and no table lets one pass for the other."""

import numpy as np
import pytest

from PyPeTLib.compare import METRICS, CompareOptions, MapImage, cohort_tables, compare_maps, table
from PyPeTLib.compare.cohort import scan_tables

MARGINS = (0, 10, 30)


@pytest.fixture(scope="module")
def padded(head):
    """Comparisons of the same maps with more and more empty margin around the head."""
    affine, _, truth, noisy = head
    found = []
    for margin in MARGINS:
        room = ((margin, margin), (margin, margin), (0, 0))
        there = affine.copy()
        there[:3, 3] -= margin * (affine[:3, 0] + affine[:3, 1])
        images = [MapImage(values=np.pad(values, room), affine=there) for values in (noisy, truth)]
        options = CompareOptions(normalisation="relative", background="zero")
        found.append(compare_maps("cbf", *images, options=options))
    return found


def test_the_papers_rises_with_shared_background_and_ours_stays(padded) -> None:
    paper, ours = ([found.metrics[name] for found in padded] for name in ("ssim_with_background", "ssim_brain"))
    assert paper[0] + 0.05 < paper[1]
    assert paper[1] + 0.03 < paper[2]
    assert ours == pytest.approx([ours[0]] * len(ours), rel=1e-5)
    assert all(one < other for one, other in zip(ours, paper, strict=True))
    for name in set(METRICS) - {"ssim_with_background"}:
        assert padded[2].metrics[name] == pytest.approx(padded[0].metrics[name], rel=1e-4, abs=1e-6)


def test_no_table_names_one_of_them_ssim_alone(padded) -> None:
    facts = {
        "references": [
            {
                "quantity": "cbf",
                "unit": "1",
                "normalisation": "relative",
                "metrics": dict(padded[0].metrics),
                "voxels": 1,
                "volume_ml": 1.0,
                "notes": [],
            }
        ],
        "failed": [],
        "lesions": None,
    }
    tables = [*scan_tables(facts), *cohort_tables([{"scan": {"name": "sub-01_ctp"}, "comparison": facts}])]
    texts = [row.title for row in table(padded).rows]
    for made in tables:
        texts += [text for column in made.columns for text in (column.name, column.heading)]
        texts += [cell for row in made.rows for cell in row if isinstance(cell, str)]
    named = {text for text in texts if "ssim" in text.lower()}
    assert {"ssim_brain", "ssim_with_background", METRICS["ssim_with_background"].title} <= named
    for text in named:
        assert "brain" in text or "background" in text
    for made in tables:
        assert "counts the empty background" in made.note
