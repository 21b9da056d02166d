"""`.npy` and `.npz` files, whole, damaged and hostile."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from mlodsl.data.numpy_file import read_npy, read_npz
from mlodsl.data.structure import NpySource, NpzSource, Unreadable


def saved(path, array):
    np.save(path, array, allow_pickle=True)
    return path


def npy_problem(path):
    with pytest.raises(Unreadable) as error:
        read_npy(path, NpySource(path.name))
    assert error.value.code == "E601"
    return error.value.message


def npz_problem(path, key=None):
    with pytest.raises(Unreadable) as error:
        read_npz(path, NpzSource(path.name, key))
    assert error.value.code == "E601"
    return error.value.message


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int32, np.uint8, bool])
def test_real_numbers_of_any_type_become_float64(tmp_path, dtype):
    path = saved(tmp_path / "x.npy", np.array([[0, 1]], dtype=dtype))
    read = read_npy(path, NpySource("x.npy"))
    assert read.dtype == np.float64 and read.tolist() == [[0, 1]]


def test_big_endian_and_fortran_order_are_read(tmp_path):
    path = saved(tmp_path / "x.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)).astype(">f8"))
    np.testing.assert_array_equal(read_npy(path, NpySource("x.npy")), [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    ("array", "noun"),
    [
        (np.array([1j]), "complex numbers"),
        (np.array(["a"]), "text"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "times"),
        (np.array([(1, 2)], dtype=[("a", int), ("b", int)]), "records"),
    ],
)
def test_what_are_no_real_numbers_is_refused(tmp_path, array, noun):
    assert noun in npy_problem(saved(tmp_path / "x.npy", array))


def test_objects_are_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "boom"),)

    path = saved(tmp_path / "x.npy", np.array([Bomb()], dtype=object))
    assert "pickled" in npy_problem(path)
    assert not (tmp_path / "boom").exists()


def test_a_pickle_in_place_of_an_npy_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(pickle.dumps([1, 2]))
    assert "is not a `.npy` file" in npy_problem(path)


def test_a_pickle_in_an_npz_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.array([{}], dtype=object))
    assert "pickled" in npz_problem(path, "a")


def test_an_empty_array_is_refused(tmp_path):
    assert "is empty" in npy_problem(saved(tmp_path / "x.npy", np.zeros((0, 3))))


def test_a_file_cut_short_is_refused(tmp_path):
    path = saved(tmp_path / "x.npy", np.ones(1000))
    path.write_bytes(path.read_bytes()[:500])
    assert "cut short" in npy_problem(path)


@pytest.mark.parametrize(
    "shape", ["(100000000000000,)", "(-1,)", "(1", "__import__('os')", "(2**9,)"]
)
def test_a_header_that_lies_is_refused(tmp_path, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
    assert "damaged" in npy_problem(path)


@pytest.mark.parametrize("raw", [b"", b"\x93NUM", b"\x93NUMPY", b"\x93NUMPY\x09\x09", b"1,2\n"])
def test_what_is_no_npy_is_refused(tmp_path, raw):
    path = tmp_path / "x.npy"
    path.write_bytes(raw)
    npy_problem(path)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 100, b"1,2\n"])
def test_what_is_no_npz_is_refused(tmp_path, raw):
    path = tmp_path / "x.npz"
    path.write_bytes(raw)
    npz_problem(path)


def test_an_npz_under_npy_says_how_to_read_it(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.ones(2))
    with pytest.raises(Unreadable) as error:
        read_npy(tmp_path / "x.npz", NpySource("x.npz"))
    assert error.value.hint == 'read it with `npz(path, "key")`'


def test_an_npy_under_npz_says_how_to_read_it(tmp_path):
    path = saved(tmp_path / "x.npy", np.ones(2))
    with pytest.raises(Unreadable) as error:
        read_npz(path, NpzSource("x.npy", "a"))
    assert error.value.hint == "read it with `npy(path)`"


def test_a_missing_key_lists_those_there_are(tmp_path):
    np.savez(tmp_path / "x.npz", weights=np.ones(2), bias=np.ones(2))
    with pytest.raises(Unreadable) as error:
        read_npz(tmp_path / "x.npz", NpzSource("x.npz", "weight"))
    assert "`weights`, `bias`" in error.value.message
    assert error.value.hint == "did you mean `weights`?"


def test_a_compressed_npz_is_read(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=np.ones(2))
    assert read_npz(tmp_path / "x.npz", NpzSource("x.npz", "a")).tolist() == [1, 1]


def test_a_file_in_an_npz_that_is_no_array_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    npz_problem(path, "a.txt")


def test_a_damaged_npz_is_refused(tmp_path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.arange(1000.0))
    raw = bytearray(buffer.getvalue())
    for offset in range(60, 90):
        raw[offset] ^= 0xFF
    path = tmp_path / "x.npz"
    path.write_bytes(raw)
    assert "damaged" in npz_problem(path, "a")
