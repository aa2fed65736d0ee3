"""Message boxes, questions and file dialogs: recorded and answered, never shown, so that nothing can block."""

import logging
from collections import deque
from dataclasses import dataclass

import slicer.util
from PySide6 import QtWidgets

Button = QtWidgets.QMessageBox.StandardButton
ACCEPTING = (Button.Ok, Button.Yes, Button.Retry, Button.Save, Button.Open, Button.Apply, Button.YesToAll)
REJECTING = (Button.Cancel, Button.No, Button.Close, Button.Abort, Button.Discard, Button.NoToAll)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message that the user would have seen: `kind` is "info", "warning", "error", "question" or "box"."""

    kind: str
    text: str
    title: str | None = None


class Answers(deque):
    """Answers to the next questions, first come first served; when there is none left, `default`."""

    default = True

    def next(self):
        """The answer to one question."""
        return bool(self.popleft()) if self else self.default


class Dialogs:
    """What was shown to the user, and what the user answers."""

    def __init__(self):
        self.messages: list[Message] = []
        self.answers = Answers()
        self.file_answers: deque = deque()  # paths (or lists of paths) for the next file dialogs; empty: cancelled
        self.input_answers: deque = deque()  # values for the next input dialogs; empty: cancelled
        self.actions: deque = deque()  # what the user does in the next dialogs before the answer: called with each

    def reset(self):
        """Forget messages and prepared answers."""
        self.messages.clear()
        self.answers.clear()
        self.answers.default = True
        self.file_answers.clear()
        self.input_answers.clear()
        self.actions.clear()

    def show(self, kind, text, title=None):
        """Record a message."""
        self.messages.append(Message(kind=kind, text=str(text), title=title))

    def ask(self, kind, text, title=None):
        """Record a question and return the answer."""
        self.show(kind, text, title)
        return self.answers.next()

    def install(self):
        """Take the places of ``slicer.util``'s displays and of Qt's modal dialogs."""
        self._install_slicer_util()
        self._install_message_box()
        self._install_file_dialog()
        self._install_input_dialog()
        self._install_modal_dialogs()

    def _install_slicer_util(self):
        levels = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

        def display(kind):
            def show(text, windowTitle=None, parent=None, standardButtons=None, **_options):  # noqa: N803
                logging.getLogger().log(levels[kind], text)
                self.show(kind, text, windowTitle)

            return show

        def confirm(text, windowTitle=None, parent=None, **_options):  # noqa: N803
            return self.ask("question", text, windowTitle)

        def message_box(text, parent=None, **options):
            accepted = self.ask("box", text, options.get("windowTitle"))
            return _button(options.get("standardButtons", Button.Ok), accepted=accepted)

        def delay_display(message, *_arguments, **_options):
            logging.getLogger().info(message)
            slicer.app.processEvents()

        for kind in levels:
            setattr(slicer.util, f"{kind}Display", display(kind))
        for name in ("confirmOkCancelDisplay", "confirmYesNoDisplay", "confirmRetryCloseDisplay"):
            setattr(slicer.util, name, confirm)
        slicer.util.messageBox = message_box
        slicer.util.delayDisplay = delay_display

    def _install_message_box(self):
        def static(kind):
            def ask(_parent, title, text, buttons=Button.Ok, *_default):
                return _button(buttons, accepted=self.ask(kind, text, title))

            return staticmethod(ask)

        box = QtWidgets.QMessageBox
        for name, kind in (
            ("information", "info"),
            ("warning", "warning"),
            ("critical", "error"),
            ("question", "question"),
            ("about", "info"),
        ):
            setattr(box, name, static(kind))

        def execute(message_box):
            accepted = self.ask("box", message_box.text, message_box.windowTitle)
            return _button(message_box.standardButtons, accepted=accepted)

        box.exec = execute

    def _install_file_dialog(self):
        def one(*_arguments, **_options):
            return str(self.file_answers.popleft()) if self.file_answers else ""

        def several(*_arguments, **_options):
            answer = self.file_answers.popleft() if self.file_answers else []
            return [str(path) for path in (answer if isinstance(answer, list | tuple) else [answer])]

        dialog = QtWidgets.QFileDialog  # PythonQt returns the path alone, without the chosen filter
        for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
            setattr(dialog, name, staticmethod(one))
        dialog.getOpenFileNames = staticmethod(several)

    def _install_input_dialog(self):
        def value_or(cancelled):
            def ask(_parent, title, label, *_arguments, **_options):
                self.show("question", label, title)
                return self.input_answers.popleft() if self.input_answers else cancelled

            return staticmethod(ask)

        for names, cancelled in ((("getText", "getItem", "getMultiLineText"), ""), (("getInt", "getDouble"), 0)):
            for name in names:
                setattr(QtWidgets.QInputDialog, name, value_or(cancelled))

    def _install_modal_dialogs(self):
        def execute(dialog):
            if self.actions:
                self.actions.popleft()(dialog)
            accepted = self.ask("box", dialog.windowTitle, dialog.windowTitle)
            code = QtWidgets.QDialog.DialogCode
            dialog.done(code.Accepted if accepted else code.Rejected)
            return int(code.Accepted if accepted else code.Rejected)

        QtWidgets.QDialog.exec = execute
        QtWidgets.QFileDialog.exec = execute
        QtWidgets.QMenu.exec = lambda *_arguments: None  # nobody chooses from it


def _button(buttons, *, accepted):
    """Choose the accepting or the rejecting one of `buttons`."""
    for button in ACCEPTING if accepted else REJECTING:
        if Button(buttons) & button:
            return button
    return Button.Ok if accepted else Button.Cancel
