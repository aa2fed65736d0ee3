"""What is made of a run's maps: lesions, comparison with references, territories, pictures, reports."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyPeTLib.errors import InputError
from PyPeTLib.io import LoadedSeries
from PyPeTLib.io.table_files import write_csv
from PyPeTLib.job.model import Job
from PyPeTLib.lesions import Lesions, find_lesions, lesions_facts, write_lesions
from PyPeTLib.pipeline import PipelineResult
from PyPeTLib.tables import DataTable


class Products:
    """Writes what follows the maps into the folder of a job.

    Parameters
    ----------
    job : Job
    loaded : LoadedSeries
    tell : callable
        Called with sentences about what could not be made.
    """

    def __init__(self, job: Job, loaded: LoadedSeries, tell: Callable[[str], None]) -> None:
        self.job, self.loaded, self.tell = job, loaded, tell
        self._lesions: Lesions | None = None
        self._tables: list[DataTable] = []
        self._draws = job.outputs.figures and self._can("matplotlib", "are no figures and no report")
        self._reports = job.outputs.report and self._draws and self._can("jinja2", "is no report")
        self._check()

    def of_maps(self, result: PipelineResult, folder: Path) -> dict[str, Any]:
        """Write everything but the report, and return what the summary says of it."""
        facts: dict[str, Any] = {"lesions": self._find_lesions(result, folder)}
        if self.job.references:
            facts["comparison"] = self._compare(result, folder)
        if self.job.territories is not None:
            facts["territories"] = self._measure_territories(result, folder, self.job.territories)
        if self._draws:
            from PyPeTLib.report.figures import write_figures  # noqa: PLC0415 - slow to import

            write_figures(result, folder / "figures", lesions=self._lesions)
        if self.job.outputs.dicom:
            self._export(result, folder / "dicom")
        return facts

    def report(self, result: PipelineResult, summary: Mapping[str, Any], folder: Path) -> None:
        """Write the report for people."""
        if not self._reports:
            return
        from PyPeTLib.report.html import write_pdf, write_scan_report  # noqa: PLC0415 - not wanted in each run

        page, pictures = folder / "report.html", folder / "comparison"
        write_scan_report(
            page,
            summary=summary,
            figures=folder / "figures",
            comparison=pictures if pictures.is_dir() else None,
            tables=self._tables,
            options=result.config.to_mapping(),
        )
        if self.job.outputs.pdf:
            write_pdf(page, folder / "report.pdf")

    def _check(self) -> None:
        """Refuse what could not be written at the end, before any work is done."""
        outputs = self.job.outputs
        if self.job.territories is not None:
            from PyPeTLib.compare.labelmaps import check_sides, read_labelmap  # noqa: PLC0415 - not wanted in each run

            check_sides(read_labelmap(self.job.territories, names=self.job.territory_names))
        if outputs.dicom:
            from PyPeTLib.report.dicom import check_exportable  # noqa: PLC0415 - not wanted in each run

            check_exportable(self.loaded)
        if outputs.pdf:
            if not self._reports:
                raise InputError("The PDF shows the report, and there is none. Leave out --no-report and --no-figures.")
            from PyPeTLib.report.html.pdf import weasyprint_or_why  # noqa: PLC0415 - as above

            weasyprint_or_why()

    def _can(self, package: str, without: str) -> bool:
        """Whether a package is there, as it is not inside 3D Slicer; else what there will not be is told."""
        if importlib.util.find_spec(package) is not None:
            return True
        self.tell(f"{package} is not installed, so there {without}")
        return False

    def _find_lesions(self, result: PipelineResult, folder: Path) -> dict[str, Any]:
        options = result.config.lesions
        try:
            self._lesions = find_lesions(result, options)
        except InputError as error:
            # maps are of use without lesions, and the reason is told in their place
            return lesions_facts(str(error), options)
        write_lesions(self._lesions, result.series.orientation, folder, prefix=self.job.prefix)
        return lesions_facts(self._lesions)

    def _compare(self, result: PipelineResult, folder: Path) -> dict[str, Any]:
        from PyPeTLib.compare.scan import LesionRules, compare_references  # noqa: PLC0415 - brings much of scipy

        grid = result.series.grid
        rules = None
        if self._lesions is not None:
            rules = LesionRules(
                tissue=result.on_input_grid(result.tissue.parenchyma),
                normal=result.normal_tissue,
                options=result.config.lesions,
                mirror=replace(result.mirror, grid=grid),
                density=result.config.quantification.density,
            )
        comparison = compare_references(
            result.maps,
            self.job.references,
            grid=grid,
            brain=result.on_input_grid(result.brain.mask),
            lesions=rules,
            pictures=self._draws,
        )
        comparison.write(folder / "comparison")
        return comparison.facts()

    def _measure_territories(self, result: PipelineResult, folder: Path, labels: Path) -> list[dict[str, Any]]:
        from PyPeTLib.compare.territories import measured_territories  # noqa: PLC0415 - not wanted in each run

        # arteries and veins hold many times the flow of tissue, CSF none
        tissue = result.on_input_grid(result.tissue.parenchyma)
        table, rows = measured_territories(result.maps, labels, self.job.territory_names, within=tissue)
        write_csv(folder / f"{self.job.prefix}territories.csv", table)
        self._tables.append(table)
        return rows

    def _export(self, result: PipelineResult, folder: Path) -> None:
        from PyPeTLib.report.dicom import export_dicom  # noqa: PLC0415 - not wanted in each run

        picture = None
        if self._draws:
            from PyPeTLib.report.montages import BrainSlices, summary_page  # noqa: PLC0415 - as above

            brain = BrainSlices.on(result.series.grid, result.on_input_grid(result.brain.mask))
            picture = summary_page(result, brain).rgb
        folder.mkdir()
        export_dicom(result, self.loaded, self._lesions, folder, picture=picture)
