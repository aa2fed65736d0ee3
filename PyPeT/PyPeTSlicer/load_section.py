"""The buttons beside the selector of the series: a 4D file, or a folder of DICOM files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from PyPeTSlicer import dicom_loading

if TYPE_CHECKING:
    from PyPeTLib.io.dicom import DicomSeries


class LoadSection:
    """Loads a series and chooses it as the input.

    Parameters
    ----------
    panel : PyPeTWidget
        Has ``ui`` with the buttons, ``logic``, ``choose(sequence, second_echo)``, ``tell(message)`` and
        ``reported(failure)``.
    """

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        panel.ui.loadButton.connect("clicked(bool)", self.on_load_file)
        panel.ui.loadDicomButton.connect("clicked(bool)", self.on_load_dicom)

    def on_load_file(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Load a 4D file as a sequence and choose it."""
        path = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Load a 4D perfusion series"), "", _("4D NIfTI (*.nii *.nii.gz)")
        )
        path = path[0] if isinstance(path, tuple) else path
        if path:
            with self.panel.reported(_("The file could not be loaded")), slicer.util.WaitCursor():
                self.panel.choose(self.panel.logic.loadFile(path))

    def on_load_dicom(self, _checked: bool = False) -> None:  # noqa: FBT001, FBT002 - a slot
        """Load a series from a folder of DICOM files and choose it; ask which, where there are several."""
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Load a folder of DICOM files"))
        if not folder:
            return
        with self.panel.reported(_("The DICOM files could not be loaded")):
            with slicer.util.WaitCursor():
                found = self.panel.logic.findDICOM(folder)
            series = found[0] if len(found) == 1 and not found[0].reason else ask_which(found)
            if series is None:
                return
            with slicer.util.WaitCursor():
                loaded = self.panel.logic.loadDICOM(series)
                self.panel.choose(loaded.sequence, loaded.second_echo)
            self.panel.tell(loaded.message)


def ask_which(found: Sequence[DicomSeries]) -> DicomSeries | None:
    """The series that the user chooses; None if the user does not."""
    dialog = qt.QDialog(slicer.util.mainWindow())
    dialog.setWindowTitle(_("Which series?"))
    layout = qt.QVBoxLayout(dialog)
    doubtful = all(series.reason for series in found)
    question = qt.QLabel(
        _("None of these was taken for a perfusion series by itself, for the reason that it names. Load one anyway?")
        if doubtful
        else _("The folder holds several perfusion series. Which one is to be loaded?")
    )
    question.setWordWrap(True)
    layout.addWidget(question)
    listed = qt.QListWidget()
    for series in found:
        listed.addItem(dicom_loading.label(series))
    listed.setCurrentRow(0)
    listed.setMinimumWidth(480)
    # a double click chooses, too
    listed.connect("itemDoubleClicked(QListWidgetItem*)", lambda _item: dialog.accept())
    layout.addWidget(listed)
    buttons = qt.QDialogButtonBox()
    buttons.addButton(qt.QDialogButtonBox.Ok)
    buttons.addButton(qt.QDialogButtonBox.Cancel)
    buttons.connect("accepted()", dialog.accept)
    buttons.connect("rejected()", dialog.reject)
    layout.addWidget(buttons)
    is_chosen = bool(dialog.exec_())
    row = listed.currentRow
    dialog.deleteLater()
    return found[row] if is_chosen and row >= 0 else None
