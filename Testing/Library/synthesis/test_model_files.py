import io
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from PyPeTLib.errors import InputError
from PyPeTLib.synthesis import load_model, predict, save_model


def test_a_model_comes_back_as_it_was(tmp_path, fitted, new_head):
    path = tmp_path / "model.npz"
    save_model(path, fitted.model)
    back = load_model(path)
    assert back.digest == fitted.model.digest
    assert back.options == fitted.model.options
    assert (back.contrasts, back.subjects, back.unit) == (("T1", "T2", "FLAIR"), 4, "SUV")
    np.testing.assert_array_equal(predict(back, new_head), predict(fitted.model, new_head))
    save_model(tmp_path / "again.npz", back)
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_nothing_of_the_subjects_is_in_the_file(tmp_path, fitted, training):
    save_model(tmp_path / "model.npz", replace(fitted.model))
    with zipfile.ZipFile(tmp_path / "model.npz") as archive:
        assert sum(item.file_size for item in archive.infolist()) < 50_000
        names = {item.filename for item in archive.infolist()}
    assert names == {f"{n}.npy" for n in ("facts", "digest", *fitted.model.arrays())}


def changed(path, name, change):
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays[name] = change(arrays[name])
    np.savez(path, **arrays)


def test_a_changed_model_is_refused(tmp_path, fitted):
    path = tmp_path / "model.npz"
    for name, change in (
        ("weights", lambda a: a + 1e-12 * (a == a.max())),
        ("facts", lambda a: np.array(str(a).replace('"subjects": 4', '"subjects": 400'))),
    ):
        save_model(path, fitted.model)
        changed(path, name, change)
        with pytest.raises(InputError, match=r"model\.npz: the model does not match its hash"):
            load_model(path)


def test_another_format_is_told(tmp_path, fitted):
    path = tmp_path / "model.npz"
    save_model(path, fitted.model)
    changed(path, "facts", lambda a: np.array(str(a).replace('"format": 1', '"format": 2')))
    with pytest.raises(InputError, match="stored in format 2, this version of PyPeT reads format 1"):
        load_model(path)


def test_a_model_of_other_features_is_refused(tmp_path, fitted):
    path = tmp_path / "model.npz"
    save_model(path, replace(fitted.model, weights=fitted.model.weights[:, :-2]))
    with pytest.raises(InputError, match=r"coefficients for \(8, 23\) patches and features, .* takes \(8, 25\)"):
        load_model(path)


class Evil:
    def __reduce__(self):
        raise AssertionError("was unpickled")


def test_what_is_no_model_is_refused_and_never_executed(tmp_path, fitted):
    path = tmp_path / "other.npz"
    with pytest.raises(InputError, match="there is no such file"):
        load_model(path)
    save_model(path, fitted.model)
    half = path.read_bytes()[:2000]
    pickled = io.BytesIO()
    with zipfile.ZipFile(pickled, "w") as archive:
        archive.writestr("facts.npy", pickle.dumps({"format": 1}))
    objects = io.BytesIO()
    np.savez(objects, facts=np.array([{"format": 1}], dtype=object))
    plain = io.BytesIO()
    np.savez(plain, facts=np.array("[]"), digest=np.array(""))
    for content in (b"", b"text", half, pickled.getvalue(), objects.getvalue(), plain.getvalue()):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"other\.npz: this is no synthesis model, or a damaged one"):
            load_model(path)


def test_models_have_one_ending(tmp_path, fitted):
    with pytest.raises(InputError, match=r"stored as \.npz"):
        save_model(tmp_path / "model.pkl", fitted.model)
