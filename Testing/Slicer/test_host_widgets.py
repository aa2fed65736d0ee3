"""Widgets that panels are made of, timers and dialogs in the headless host: as PythonQt shows them, and as strict."""

import sys

import numpy as np
import pytest
import slicer

from host.ui_loader import UiError

WIDGETS = (
    "QListWidget",
    "QTableWidget",
    "QTreeWidget",
    "QToolButton",
    "QSlider",
    "QTabWidget",
    "QRadioButton",
    "QStackedWidget",
    "QScrollArea",
    "QSplitter",
    "QTextBrowser",
    "ctkCollapsibleButton",
    "ctkCollapsibleGroupBox",
    "ctkSliderWidget",
    "ctkDoubleSlider",
    "ctkDoubleSpinBox",
    "ctkRangeWidget",
    "ctkPathLineEdit",
    "ctkDirectoryButton",
    "ctkCheckBox",
    "ctkComboBox",
    "qMRMLNodeComboBox",
    "qMRMLSliderWidget",
    "qMRMLPlotView",
    "qMRMLPlotWidget",
    "qMRMLTableView",
    "qMRMLTableWidget",
)
FORM = """<ui version="4.0"><class>Part</class><widget class="qMRMLWidget" name="Part">
<layout class="QVBoxLayout" name="partLayout">{}</layout></widget>{}</ui>"""


@pytest.fixture(autouse=True)
def _clean_host(host):
    host.reset()
    yield
    host.assert_no_exceptions()
    host.reset()


@pytest.fixture
def load(host, tmp_path):
    """``load(widgets, rest="")``: the child widgets of a form, made by the strict loader."""

    def form(widgets, rest=""):
        path = tmp_path / "Part.ui"
        path.write_text(FORM.format("".join(f"<item>{widget}</item>" for widget in widgets), rest))
        widget = slicer.util.loadUI(str(path))
        return widget, slicer.util.childWidgetVariables(widget)

    return form


def test_all_usual_widgets_come_out_of_ui_files_as_what_they_are(load):
    form, ui = load([f'<widget class="{name}" name="{name}_"/>' for name in WIDGETS])
    form.setMRMLScene(slicer.mrmlScene)
    assert {name: getattr(ui, f"{name}_").className() for name in WIDGETS} == {name: name for name in WIDGETS}
    for name in WIDGETS:
        with pytest.raises(AttributeError, match="txet"):
            getattr(ui, f"{name}_").txet = "typing error"
    form.setMRMLScene(None)


def test_radio_buttons_of_a_form_belong_to_their_group(load, qt):
    buttons = [
        f'<widget class="QRadioButton" name="{name}"><attribute name="buttonGroup"><string>choice</string></attribute>'
        "</widget>"
        for name in ("first", "second")
    ]
    form, ui = load(buttons, '<buttongroups><buttongroup name="choice"/></buttongroups>')
    assert ui.first.group() is not None
    group = qt.QButtonGroup(form)
    seen = []
    group.addButton(ui.first, 3)
    group.addButton(ui.second, 4)
    group.connect("buttonClicked(QAbstractButton*)", lambda button: seen.append(button.name))
    ui.second.click()
    assert (group.checkedId(), ui.first.checked, ui.second.checked, seen) == (4, False, True, ["second"])


def test_lists_tell_what_is_selected(load, qt):
    _form, ui = load(['<widget class="QListWidget" name="entries"/>'])
    seen = []
    ui.entries.connect("itemSelectionChanged()", lambda: seen.append("selection"))
    ui.entries.connect("currentRowChanged(int)", seen.append)
    ui.entries.addItem("first")
    item = qt.QListWidgetItem("second")
    item.setData(qt.Qt.UserRole, "id 2")
    ui.entries.addItem(item)
    ui.entries.selectionMode = qt.QAbstractItemView.ExtendedSelection
    ui.entries.currentRow = 1
    assert (ui.entries.count, ui.entries.currentItem().text()) == (2, "second")
    assert ui.entries.currentItem().data(qt.Qt.UserRole) == "id 2"
    assert seen[-2:] in ([1, "selection"], ["selection", 1])


def test_tables_tell_which_cell_is_clicked(load, qt):
    _form, ui = load(['<widget class="QTableWidget" name="table"/>'])
    seen = []
    ui.table.connect("cellClicked(int,int)", lambda row, column: seen.append((row, column)))
    ui.table.connect("itemSelectionChanged()", lambda: seen.append("selection"))
    ui.table.connect("itemChanged(QTableWidgetItem*)", lambda item: seen.append(item.text()))
    ui.table.rowCount = 2
    ui.table.columnCount = 2
    ui.table.setHorizontalHeaderLabels(["Curve", "Score"])
    ui.table.selectionBehavior = qt.QAbstractItemView.SelectRows
    ui.table.setItem(1, 0, qt.QTableWidgetItem("AIF"))
    ui.table.cellClicked.emit(1, 0)
    ui.table.selectRow(1)
    assert seen == ["AIF", (1, 0), "selection"]
    assert (ui.table.item(1, 0).text(), ui.table.currentRow()) == ("AIF", 1)
    ui.table.selectionModel().connect(
        "selectionChanged(QItemSelection,QItemSelection)", lambda *_: seen.append("model")
    )
    ui.table.selectRow(0)
    assert "model" in seen
    ui.table.selectionModel().selectionChanged.connect(lambda *_: seen.append("signal"))
    ui.table.selectRow(1)
    assert "signal" in seen


def test_trees_tabs_and_sliders_are_connected_by_signature(load, qt):
    names = (("QTreeWidget", "tree"), ("QTabWidget", "tabs"), ("QSlider", "slider"), ("QToolButton", "tool"))
    _form, ui = load([f'<widget class="{kind}" name="{name}"/>' for kind, name in names])
    seen = []
    ui.tree.connect("currentItemChanged(QTreeWidgetItem*,QTreeWidgetItem*)", lambda now, _: seen.append(now.text(0)))
    ui.tree.addTopLevelItem(qt.QTreeWidgetItem(["AIF"]))
    ui.tree.setCurrentItem(ui.tree.topLevelItem(0))
    ui.tabs.connect("currentChanged(int)", seen.append)
    ui.tabs.addTab(qt.QWidget(), "One")
    ui.tabs.addTab(qt.QWidget(), "Two")
    ui.tabs.currentIndex = 1
    ui.slider.connect("valueChanged(int)", seen.append)
    ui.slider.maximum = 20
    ui.slider.value = 12
    ui.tool.checkable = True
    ui.tool.connect("toggled(bool)", seen.append)
    ui.tool.checked = True
    assert seen == ["AIF", 0, 1, 12, True]
    assert ui.tabs.tabText(ui.tabs.currentIndex) == "Two"


def test_sliders_of_ctk_know_numbers(load):
    names = ("ctkSliderWidget", "ctkDoubleSlider", "ctkDoubleSpinBox")
    _form, ui = load([f'<widget class="{name}" name="{name}_"/>' for name in names])
    for name in names:
        slider = getattr(ui, f"{name}_")
        seen = []
        slider.connect("valueChanged(double)", seen.append)
        slider.maximum = 200
        slider.singleStep = 0.5
        slider.value = 12.5
        assert (slider.value, slider.singleStep, seen) == (12.5, 0.5, [12.5])


def test_a_shortcut_is_connected(qt):
    window = qt.QWidget()
    seen = []
    shortcut = qt.QShortcut(qt.QKeySequence("Ctrl+Shift+R"), window)
    shortcut.connect("activated()", lambda: seen.append("run"))
    shortcut.activated.emit()
    assert (shortcut.key.toString(), seen) == ("Ctrl+Shift+R", ["run"])


def test_dialogs_for_paths_and_names_are_answered(host, qt):
    host.file_answers.extend(["/out/review.json", ["/in/a.nii", "/in/b.nii"]])
    assert qt.QFileDialog.getSaveFileName(None, "Save", "", "*.json") == "/out/review.json"
    assert qt.QFileDialog.getOpenFileNames(None, "Open", "", "*.nii") == ["/in/a.nii", "/in/b.nii"]
    assert qt.QFileDialog.getSaveFileName(None, "Save") == ""
    host.input_answers.append("reader 2")
    assert qt.QInputDialog.getText(None, "Reader", "Name:") == "reader 2"


# ---- timers


def test_timers_run_out_while_events_are_processed(host, qt):
    seen = []
    qt.QTimer.singleShot(1, lambda: seen.append("shot"))
    single, repeated = qt.QTimer(), qt.QTimer()
    single.setSingleShot(True)
    single.connect("timeout()", lambda: seen.append("single"))
    repeated.interval = 2
    repeated.timeout.connect(lambda: seen.append("repeated"))
    single.start(3)
    repeated.start()
    assert (single.active, single.singleShot, repeated.interval) == (True, True, 2)
    assert seen == []
    host.process_events(60)
    assert seen.count("shot") == seen.count("single") == 1
    assert seen.count("repeated") > 3
    repeated.stop()
    assert not single.active
    assert not repeated.active
    count = len(seen)
    single.start(1000)  # started anew before it runs out, as when a user still types
    host.process_events(10)
    assert len(seen) == count
    single.stop()


# ---- what belongs to the application's window


def test_modules_that_were_asked_for_are_kept(host):
    slicer.util.selectModule("SegmentEditor")
    slicer.util.selectModule(slicer.modules.volumes)
    assert host.selected_modules == ["SegmentEditor", "Volumes"]
    host.reset()
    assert host.selected_modules == []


def test_browsers_that_were_shown_are_kept(host):
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    slicer.modules.sequences.showSequenceBrowser(browser)
    assert host.shown_browsers == [browser]


# ---- tables and charts


@pytest.fixture
def table(host):
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "values")
    slicer.util.updateTableFromArray(table, [np.array([1.5, 2.5]), np.array([3, 4])], ["Core", "Voxels"])
    return table


def shown_texts(view):
    model = view.model()
    rows, columns = range(model.rowCount()), range(model.columnCount())
    headers = [model.headerData(c, sys.modules["qt"].Qt.Horizontal) for c in columns]
    return headers, [[model.index(r, c).data() for c in columns] for r in rows]


def test_a_table_view_follows_its_node(host, table):
    view = slicer.qMRMLTableView()
    observers = host.observer_count(table)
    view.setMRMLTableNode(table)
    assert shown_texts(view) == (["A", "B"], [["Core", "Voxels"], ["1.5", "3"], ["2.5", "4"]])
    table.SetUseColumnTitleAsColumnHeader(True)
    table.SetColumnTitle("Core", "Core (mL)")
    assert shown_texts(view) == (["Core (mL)", "Voxels"], [["1.5", "3"], ["2.5", "4"]])
    table.SetUseFirstColumnAsRowHeader(True)
    assert shown_texts(view) == (["Voxels"], [["3"], ["4"]])
    slicer.util.updateTableFromArray(table, [np.array([7.0])], ["Core"])
    table.SetUseFirstColumnAsRowHeader(False)
    assert shown_texts(view)[1][-1][0] == "7"
    view.setMRMLTableNode(None)
    assert view.model().rowCount() == 0
    assert host.observer_count(table) == observers


def test_a_table_view_shows_what_its_view_node_shows(host, table):
    view_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableViewNode")
    widget = slicer.qMRMLTableWidget()
    widget.setMRMLTableViewNode(view_node)
    assert widget.tableView().mrmlTableNode() is None
    view_node.SetTableNodeID(table.GetID())
    assert widget.tableView().mrmlTableNode() is table
    widget.setMRMLTableViewNode(None)


def test_a_chart_within_a_panel_is_drawn(host, table):
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "Core")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetYColumnName("Core")
    series.SetPlotType(series.PlotTypeLine)
    series.SetColor(0, 0, 1)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    view_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    view_node.SetPlotChartNodeID(chart.GetID())
    view = slicer.qMRMLPlotView()
    view.setMRMLPlotViewNode(view_node)
    view.setMinimumHeight(240)
    picture = host.panel_picture(view, width=400).astype(int)
    assert (picture[..., 2] - picture[..., 0] > 150).sum() > 100


def test_unknown_widgets_stay_refused(load):
    with pytest.raises(UiError, match="qMRMLPlotChartWidget"):
        load(['<widget class="qMRMLPlotChartWidget" name="chart"/>'])
