"""A headless host for Slicer scripted modules: real MRML nodes and logics, an offscreen Qt panel, no application.

``Host.start()`` builds it around the PyPI package ``slicer-core`` with PySide6 in the place of PythonQt.
What it is made of, from the ground up:

``pythonqt``        PySide6 objects that behave as PythonQt objects do; the modules ``qt`` and ``ctk``
``properties``      helpers for the Qt properties of stand-in widgets
``ctk_widgets``, ``mrml_widgets``, ``node_combo_box``   stand-ins for the widgets of CTK and Slicer
``ui_loader``       a ``.ui`` loader that refuses what it does not know
``dialogs``         message boxes and file dialogs that are recorded and answered, never shown
``exceptions``      collects what is raised inside slots and observers
``input_output``, ``application``   ``slicer.app`` and its ``coreIOManager()``
``scripted``, ``parameter_types``, ``gui_connectors``, ``parameter_node``   stand-ins for Slicer's Python files
``sample_data``     a stand-in for the module ``SampleData``
``views``, ``plot_view``   pictures of slice views and plot charts, drawn offscreen
``host``            the class ``Host`` that puts the parts together
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
