"""The output folder appears whole or not at all, whatever ends the run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import PyPeTLib
from PyPeTLib.errors import InputError
from PyPeTLib.io import OutputFolder, check_output_folder, locks
from PyPeTLib.io.locks import acquire_lock, release_lock

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


def _made(out, text="made"):
    """A folder as PyPeT leaves it."""
    out.mkdir(parents=True)
    (out / "summary.json").write_text(json.dumps({"pypet_version": "1", "text": text}), encoding="utf-8")
    (out / "maps").mkdir()
    (out / "maps" / "cbf.nii.gz").write_bytes(b"voxels")
    return out


def _run_in_child(out, action, *, overwrite=False):
    """Start a process that enters the output folder, writes a file, says so, and goes on with ``action``."""
    program = textwrap.dedent(f"""
        import os, signal, time
        from pathlib import Path
        from PyPeTLib.io import OutputFolder
        with OutputFolder({str(out)!r}, overwrite={overwrite}) as folder:
            (folder / "half").write_text("written")
            print("ready", flush=True)
            {action}
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(PyPeTLib.__file__).parent.parent)}
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout.readline() == "ready\n"
    return child


def _kill(child):
    child.kill()
    child.wait(timeout=10)
    child.stdout.close()


def test_the_folder_appears_when_the_block_ends(tmp_path):
    out = tmp_path / "out"
    with OutputFolder(out) as folder:
        (folder / "maps").mkdir()
        (folder / "maps" / "cbf").write_text("1", encoding="utf-8")
        assert not out.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.relative_to(out).as_posix() for p in sorted(out.rglob("*"))] == ["maps", "maps/cbf"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_remains_after_an_exception(tmp_path, error):
    def run():
        with OutputFolder(tmp_path / "new" / "parent" / "out") as folder:
            (folder / "half").touch()
            raise error

    with pytest.raises(error):
        run()
    assert list(tmp_path.iterdir()) == []


def test_missing_parents_are_made(tmp_path):
    with OutputFolder(tmp_path / "new" / "parent" / "out") as folder:
        (folder / "a").touch()
    assert (tmp_path / "new" / "parent" / "out" / "a").is_file()


def test_an_existing_folder_is_kept_without_overwrite(tmp_path):
    out = _made(tmp_path / "out")
    for refuse in (check_output_folder, lambda path: OutputFolder(path).__enter__()):
        with pytest.raises(InputError, match=r"out: the output folder exists.*--overwrite"):
            refuse(out)
    assert (out / "maps" / "cbf.nii.gz").read_bytes() == b"voxels"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_overwrite_replaces_the_whole_folder(tmp_path):
    out = _made(tmp_path / "out")
    check_output_folder(out, overwrite=True)
    with OutputFolder(out, overwrite=True) as folder:
        (folder / "summary.json").write_text('{"pypet": 2}', encoding="utf-8")
        assert (out / "maps").is_dir()
    assert [p.name for p in out.iterdir()] == ["summary.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_overwrite_keeps_the_old_folder_when_the_run_fails(tmp_path):
    out = _made(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt), OutputFolder(out, overwrite=True):
        raise KeyboardInterrupt
    assert (out / "maps" / "cbf.nii.gz").read_bytes() == b"voxels"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("summary", [None, "not json", '["pypet"]', '{"somebody": "else"}'])
def test_overwrite_never_replaces_what_pypet_did_not_make(tmp_path, summary):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work", encoding="utf-8")
    if summary is not None:
        (home / "summary.json").write_text(summary, encoding="utf-8")
    for refuse in (check_output_folder, lambda path, overwrite: OutputFolder(path, overwrite=overwrite).__enter__()):
        with pytest.raises(InputError, match=r"home: this folder is not empty and holds no summary.json of PyPeT"):
            refuse(home, overwrite=True)
    assert (home / "thesis.tex").read_text(encoding="utf-8") == "years of work"


def test_overwrite_replaces_an_empty_folder(tmp_path):
    (tmp_path / "out").mkdir()
    with OutputFolder(tmp_path / "out", overwrite=True) as folder:
        (folder / "a").touch()
    assert (tmp_path / "out" / "a").exists()


def test_inputs_inside_the_output_folder_are_safe(tmp_path):
    out = _made(tmp_path / "out")
    with pytest.raises(InputError, match=r"scan.nii.gz: this input lies inside the output folder"):
        check_output_folder(out, overwrite=True, inputs=[tmp_path / "scan.nii", out / "scan.nii.gz"])
    check_output_folder(out, overwrite=True, inputs=[tmp_path / "scan.nii", tmp_path / "out.nii"])


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").write_text("x", encoding="utf-8")
    for out in (tmp_path / "out", tmp_path / "out" / "deeper" / "folder"):
        for overwrite in (False, True):
            with pytest.raises(InputError, match=r"out: this is a file"):
                check_output_folder(out, overwrite=overwrite)
            with pytest.raises(InputError, match=r"out: this is a file"):
                OutputFolder(out, overwrite=overwrite).__enter__()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "x"


def test_a_mount_point_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "out")
    with pytest.raises(InputError, match=r"out: a disk is mounted here.*inside it"):
        check_output_folder(tmp_path / "out", overwrite=True)


def test_the_root_is_no_output_folder():
    with pytest.raises(InputError, match="cannot be an output folder"):
        check_output_folder("/", overwrite=True)


def test_a_parent_without_permission_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for refuse in (check_output_folder, lambda path: OutputFolder(path).__enter__()):
        with pytest.raises(InputError, match=rf"{tmp_path.name}: permission to write here is denied"):
            refuse(tmp_path / "new" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(InputError, match=r"out cannot be written here: No space left"):
        OutputFolder(tmp_path / "out").__enter__()


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyboardInterrupt()])
def test_the_old_folder_is_put_back_when_the_last_step_fails(tmp_path, monkeypatch, error):
    out = _made(tmp_path / "out")
    replace = Path.replace

    def failing(self, target):
        if self.name == "new":
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with (
        pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt),
        OutputFolder(out, overwrite=True) as folder,
    ):
        (folder / "a").touch()
    assert (out / "maps" / "cbf.nii.gz").read_bytes() == b"voxels"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_old_folder_that_cannot_be_put_back_is_never_deleted(tmp_path, monkeypatch):
    out = _made(tmp_path / "out")
    replace = Path.replace

    def failing(self, target):
        if self.name in ("new", "old"):
            raise OSError(5, "Input/output error")
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", failing)
        with pytest.raises(InputError, match="Input/output error"), OutputFolder(out, overwrite=True):
            pass
    assert not out.exists()
    # the next run finds it, and still asks before replacing it
    with pytest.raises(InputError, match="--overwrite"):
        check_output_folder(out)
    with pytest.raises(InputError, match="--overwrite"):
        OutputFolder(out).__enter__()
    assert (out / "maps" / "cbf.nii.gz").read_bytes() == b"voxels"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_appears_during_the_run_is_not_replaced(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="the output folder exists"), OutputFolder(out):
        _made(out, "of somebody else")
    assert "somebody" in (out / "summary.json").read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_symbolic_link_is_followed_to_the_folder(tmp_path):
    out = _made(tmp_path / "real")
    (tmp_path / "link").symlink_to(out)
    with OutputFolder(tmp_path / "link", overwrite=True) as folder:
        (folder / "a").touch()
    assert (tmp_path / "link").is_symlink()
    assert [p.name for p in out.iterdir()] == ["a"]


def test_the_folder_has_the_permissions_of_an_ordinary_one(tmp_path):
    (tmp_path / "ordinary").mkdir()
    with OutputFolder(tmp_path / "out"):
        pass
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


# killed and concurrent runs


@posix
def test_ctrl_c_leaves_nothing(tmp_path):
    # short naps: a signal that comes just before a sleep begins is seen only when that sleep ends
    child = _run_in_child(tmp_path / "out", "while True: time.sleep(0.01)")
    child.send_signal(signal.SIGINT)
    # the traceback of the child goes to the captured error stream
    assert child.wait(timeout=10) != 0
    child.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_run_are_cleared_by_the_next(tmp_path):
    out = tmp_path / "out"
    _kill(_run_in_child(out, "time.sleep(30)"))
    assert [p.name for p in tmp_path.iterdir()] == [".out.pypet"]
    with OutputFolder(out) as folder:
        assert list(folder.iterdir()) == []
        (folder / "whole").touch()
    assert [p.name for p in out.iterdir()] == ["whole"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_leftovers_are_cleared_even_when_the_next_run_is_refused(tmp_path):
    out = _made(tmp_path / "out")
    _kill(_run_in_child(out, "time.sleep(30)", overwrite=True))
    with pytest.raises(InputError, match="--overwrite"):
        OutputFolder(out).__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@posix
def test_a_run_killed_between_the_two_last_steps_loses_nothing(tmp_path):
    out = _made(tmp_path / "out")
    # the process dies when the new folder is about to take the place of the old one
    action = """replace = Path.replace
            Path.replace = lambda self, target: os.kill(os.getpid(), 9) if self.name == "new" else replace(self, target)
    """
    child = _run_in_child(out, action.strip(), overwrite=True)
    assert child.wait(timeout=10) == -signal.SIGKILL
    child.stdout.close()
    assert not out.exists()
    with pytest.raises(RuntimeError), OutputFolder(out, overwrite=True):
        raise RuntimeError
    assert (out / "maps" / "cbf.nii.gz").read_bytes() == b"voxels"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_run_that_is_alive_is_left_alone(tmp_path):
    out = tmp_path / "out"
    child = _run_in_child(out, "input_path = Path('go'); time.sleep(30)")
    for _ in range(2):
        with pytest.raises(InputError, match=r"out: another run of PyPeT is writing"):
            OutputFolder(out, overwrite=True).__enter__()
        assert (tmp_path / ".out.pypet" / "new" / "half").is_file()
    # a run for another folder beside it is not concerned
    with OutputFolder(tmp_path / "out2") as folder:
        (folder / "a").touch()
    _kill(child)


def test_of_many_threads_for_one_folder_one_at_a_time_gets_it(tmp_path):
    out, inside, most, refused = tmp_path / "out", [], [], []

    def run():
        for _ in range(30):
            with contextlib.suppress(InputError):
                try:
                    with OutputFolder(out, overwrite=True) as folder:
                        inside.append(1)
                        most.append(len(inside))
                        (folder / "summary.json").write_text('{"software": "PyPeT"}', encoding="utf-8")
                        inside.pop()
                except InputError:
                    refused.append(1)
                    raise

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) + len(refused) == 120
    assert max(most) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (out / "summary.json").is_file()


def test_a_lock_is_held_once_and_free_afterwards(tmp_path):
    path = tmp_path / "lock"
    held = acquire_lock(path)
    assert held is not None
    assert acquire_lock(path) is None
    release_lock(path, held)
    assert not path.exists()
    again = acquire_lock(path)
    assert again is not None
    release_lock(path, again)


@posix
def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    real, calls = locks._try_lock, []

    def after_the_owner_left(descriptor):
        if not calls:
            path.unlink()
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(locks, "_try_lock", after_the_owner_left)
    held = acquire_lock(path)
    assert os.path.samestat(os.fstat(held), path.stat())
    assert len(calls) == 2
    release_lock(path, held)


@posix
def test_a_lock_on_a_file_that_was_replaced_meanwhile_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    real, calls = locks._try_lock, []

    def after_another_run_began(descriptor):
        if not calls:
            path.unlink()
            path.touch()
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(locks, "_try_lock", after_another_run_began)
    held = acquire_lock(path)
    assert os.path.samestat(os.fstat(held), path.stat())
    release_lock(path, held)


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    def unsupported(descriptor):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("PyPeTLib.io.locks._try_lock", unsupported)
    with pytest.raises(InputError, match="knows no file locks"):
        OutputFolder(tmp_path / "out").__enter__()
    assert list(tmp_path.iterdir()) == []
