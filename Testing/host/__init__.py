"""A headless host for Slicer scripted modules: real MRML nodes and logics, an offscreen Qt panel, no application.

``Host.start()`` builds it around the PyPI package ``slicer-core`` with PySide6 in the place of PythonQt.
What it is made of, from the ground up:

``pythonqt``        PySide6 objects that behave as PythonQt objects do; the modules ``qt`` and ``ctk``
``properties``      helpers for the Qt properties of stand-in widgets
``ctk_widgets``, ``mrml_widgets``, ``node_combo_box``, ``table_view``   stand-ins for the widgets of CTK and Slicer
``ui_loader``       a ``.ui`` loader that refuses what it does not know
``dialogs``         message boxes and file dialogs that are recorded and answered, never shown
``exceptions``      collects what is raised inside slots and observers
``input_output``, ``application``   ``slicer.app`` and its ``coreIOManager()``
``scripted``, ``parameter_types``, ``gui_connectors``, ``parameter_node``   stand-ins for Slicer's Python files
``sample_data``     a stand-in for the module ``SampleData``
``views``, ``plot_view``   pictures of slice views and plot charts, drawn offscreen; a user's mouse in slice views
``layout_geometry``, ``view_widgets``, ``layout_manager``   ``slicer.app.layoutManager()`` and its views
``pictures``        pictures of the whole layout and of panels, in Slicer's light and dark style
``window``          the part of ``Host`` that is about the window and its views
``host``            the class ``Host`` that puts the parts together

The window is closed at first, as with ``--no-main-window``: ``slicer.app.layoutManager()`` is None. With it opened::

    manager = host.open_views((1200, 800))  # close_views() and reset() close it; its view nodes go with it
    host.shown_views()                      # layout names, as ["Red", "1", "Green", "Yellow"]
    red = host.view("Red")                  # a SliceView: acts as the user does, so that linked views follow
    red.scroll(3)                           # mm; also move_slider(mm), zoom(factor), pan(right, up), fit()
    red.offset, red.size, red.node, red.logic, red.composite_node, red.pixel_of(ras), red.picture()
    host.move_mouse(ras, "Red")             # tells the crosshair node; move_mouse(None) leaves the views
    host.move_crosshair(ras, "Red")         # with Shift held: the crosshair comes along, other views jump
    host.click(ras)                         # places a control point, where a module has asked for one
    host.layout_picture()                   # all views as drawn: an array (height, width, 3); also dark=True
    host.panel_picture(widget, dark=True)   # a panel as drawn
    host.process_events(50)                 # lets timers of the next 50 ms run out

Layout node, layout logic, slice logics, links between views and what draws into slice views are Slicer's own. There are
no three-dimensional views (their place in a picture is empty), no corner annotations, and no main window object:
``slicer.util.mainWindow()`` is None. ``slicer.util.selectModule`` keeps what it is asked for in
``host.selected_modules``, and the browsers shown by the module Sequences are in ``host.shown_browsers``.
"""

import ctypes.util
import os

# Both must be known before Qt and VTK are imported: there is no display.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if not os.environ.get("DISPLAY") and ctypes.util.find_library("EGL"):
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")

from .exceptions import CollectedError
from .host import Host

__all__ = ["CollectedError", "Host"]
