"""`data` statements: their sources, the paths of `--data`, and the caller's arrays."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlodsl.data import load_data
from mlodsl.diagnostics import Source, Span
from mlodsl.syntax import parse_program


def load(text, **arguments):
    program, diagnostics = parse_program(Source("m.mlo", text))
    assert program is not None, diagnostics
    return load_data(program, **arguments)


def array(text, **arguments):
    loaded = load(text, **arguments)
    assert loaded.diagnostics == ()
    [only] = loaded.arrays.values()
    return only


def problem(text, **arguments):
    [diagnostic] = load(text, **arguments).diagnostics
    return diagnostic.code, diagnostic.span.text


def flag(name, path):
    source = Source("--data", f"{name}={path}")
    return {name: (str(path), Span(source, 0, len(source.text)))}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (tmp_path / "column.csv").write_text("1\n2\n3\n")
    np.save(tmp_path / "cube.npy", np.arange(24.0).reshape(2, 3, 4))
    np.savez(tmp_path / "two.npz", first=np.ones(3), second=np.zeros((2, 2)))
    np.savez(tmp_path / "one.npz", only=np.ones(3))
    return tmp_path


# ------------------------------------------------------------------ sources


def test_a_csv_is_read_relative_to_the_model(folder):
    read = array('data A = csv("table.csv")', base=folder)
    np.testing.assert_array_equal(read, [[1, 2], [3, 4], [5, 6]])


def test_without_a_base_paths_are_relative_to_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert array('data A = csv("table.csv")').shape == (3, 2)


def test_an_npy_is_read(folder):
    assert array('data A = npy("cube.npy")', base=folder).shape == (2, 3, 4)


def test_an_array_of_an_npz_is_read_by_its_key(folder):
    assert array('data A = npz("two.npz", "second")', base=folder).shape == (2, 2)


def test_an_npz_of_one_array_needs_no_key(folder):
    assert array('data A = npz("one.npz")', base=folder).shape == (3,)


def test_a_list_of_numbers_is_a_source():
    read = array("data A = [[1, 2], [-3, 1/4]]")
    np.testing.assert_array_equal(read, [[1, 2], [-3, 0.25]])


def test_data_without_a_source_is_left_out(folder):
    loaded = load("data A data B = [1, 2]", base=folder)
    assert loaded.shapes == {"B": (2,)} and loaded.diagnostics == ()


def test_shapes_and_hashes_have_the_names_of_the_arrays(folder):
    loaded = load('data A = csv("table.csv") data B = npy("cube.npy")', base=folder)
    assert loaded.shapes == {"A": (3, 2), "B": (2, 3, 4)}
    assert set(loaded.hashes) == {"A", "B"}


def test_one_column_is_a_table_unless_a_vector_is_declared(folder):
    assert array('data A = csv("column.csv")', base=folder).shape == (3, 1)
    assert array('data A : real[n] = csv("column.csv")', base=folder).shape == (3,)
    assert array('data A : real[n, d] = csv("column.csv")', base=folder).shape == (3, 1)


def test_arrays_are_float64_in_c_order_and_read_only():
    read = array("data A", arrays={"A": np.ones((3, 2), dtype=np.float32).T})
    assert read.dtype == np.float64 and read.flags.c_contiguous and not read.flags.writeable


# ------------------------------------------------------------------ --data


def test_a_path_replaces_the_models_and_keeps_its_other_arguments(folder):
    (folder / "other.csv").write_text("1;2;3\n4;5;6\n")
    text = 'data A = csv("nowhere.csv", delimiter = ";", columns = [0, -1])'
    read = array(text, base=Path("elsewhere"), paths=flag("A", folder / "other.csv"))
    np.testing.assert_array_equal(read, [[1, 3], [4, 6]])


def test_a_path_is_relative_to_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    text = 'data A = csv("nowhere.csv")'
    assert array(text, base=Path("elsewhere"), paths=flag("A", "table.csv")).shape == (3, 2)


def test_a_path_makes_the_path_in_the_model_superfluous(folder):
    paths = flag("A", folder / "table.csv")
    assert array("data A = csv(columns = [0])", paths=paths).shape == (3, 1)


@pytest.mark.parametrize(
    ("name", "shape"), [("table.csv", (3, 2)), ("cube.npy", (2, 3, 4)), ("one.npz", (3,))]
)
def test_without_a_source_the_ending_says_the_kind(folder, name, shape):
    assert array("data A", paths=flag("A", folder / name)).shape == shape


@pytest.mark.parametrize("ending", ["tsv", "txt", "CSV"])
def test_other_endings_of_text_are_csv_too(folder, ending):
    (folder / f"x.{ending}").write_text("1\t2\n")
    assert array("data A", paths=flag("A", folder / f"x.{ending}")).shape == (1, 2)


@pytest.mark.parametrize("name", ["x.xlsx", "x"])
def test_an_unknown_ending_points_at_the_flag(name):
    assert problem("data A", paths=flag("A", name)) == ("E601", f"A={name}")


def test_a_missing_file_of_a_flag_points_at_the_flag():
    text = 'data A = csv("x.csv")'
    assert problem(text, paths=flag("A", "nowhere.csv")) == ("E601", "A=nowhere.csv")


def test_an_npz_of_several_arrays_needs_a_key(folder):
    path = folder / "two.npz"
    loaded = load("data A", paths=flag("A", path))
    assert "`first`, `second`" in loaded.diagnostics[0].message


def test_a_path_for_unknown_data_suggests_the_likely_name():
    [diagnostic] = load("data wine", paths=flag("wines", "x.csv")).diagnostics
    assert (diagnostic.code, diagnostic.hint) == ("E605", "did you mean `wine`?")


def test_a_path_for_a_param_says_how_params_are_given():
    [diagnostic] = load("param c = 1", paths=flag("c", "x.csv")).diagnostics
    assert diagnostic.code == "E605" and "--set c=" in diagnostic.hint


# ------------------------------------------------------------------ the caller's arrays


@pytest.mark.parametrize(
    "value", [[[1, 2], [3, 4]], ((1, 2), (3, 4)), np.array([[1, 2], [3, 4]], dtype=np.int8)]
)
def test_a_callers_array_is_read(value):
    np.testing.assert_array_equal(array("data A", arrays={"A": value}), [[1, 2], [3, 4]])


def test_a_jax_array_is_read():
    jax_numpy = pytest.importorskip("jax.numpy")
    assert array("data A", arrays={"A": jax_numpy.ones((2, 3))}).shape == (2, 3)


def test_truth_values_are_numbers():
    np.testing.assert_array_equal(array("data A", arrays={"A": [True, False]}), [1.0, 0.0])


def test_infinity_is_a_number():
    assert array("data A", arrays={"A": [1.0, np.inf]})[1] == np.inf


def test_a_callers_array_comes_before_the_file():
    assert array('data A = csv("nowhere.csv")', arrays={"A": [1, 2]}).shape == (2,)


def test_a_callers_array_is_copied():
    value = np.ones(3)
    read = array("data A", arrays={"A": value})
    value[0] = 5
    assert read[0] == 1


@pytest.mark.parametrize(
    "value",
    ["x.csv", ["a", "b"], [[1], [2, 3]], [1j], object(), None, [], {}, [object()], np.array("x")],
)
def test_what_is_no_array_of_numbers_is_refused_at_the_statement(value):
    assert problem("data A", arrays={"A": value}) == ("E601", "A")


def test_a_nan_is_refused_with_its_index():
    [diagnostic] = load("data A", arrays={"A": [[1, 2], [3, np.nan]]}).diagnostics
    assert diagnostic.code == "E602" and "[1, 1]" in diagnostic.message


def test_an_array_for_unknown_data_is_refused():
    [diagnostic] = load("data A", arrays={"B": [1]}).diagnostics
    assert diagnostic.code == "E605" and diagnostic.span is None


# ------------------------------------------------------------------ what is wrong with a source


@pytest.mark.parametrize(
    ("source", "code", "marked"),
    [
        ('csw("x.csv")', "E102", "csw"),
        ("csv()", "E202", "csv()"),
        ("csv(x)", "E204", "x"),
        ("csv(3)", "E204", "3"),
        ('csv("x", delim = ";")', "E203", "delim"),
        ('csv("x", path = "y")', "E202", "path"),
        ('csv("x", ";", true, [0], 5)', "E202", "5"),
        ('csv("x", delimiter = 3)', "E204", "3"),
        ('csv("x", delimiter = ";;")', "E204", '";;"'),
        ('csv("x", delimiter = "5")', "E204", '"5"'),
        ('csv("x", header = 1)', "E204", "1"),
        ('csv("x", columns = 1)', "E204", "1"),
        ('csv("x", columns = [])', "E204", "[]"),
        ('csv("x", columns = [0.5])', "E204", "0.5"),
        ('csv("x", columns = [a])', "E204", "a"),
        ('npy("x", "y")', "E202", '"y"'),
        ('npz("x", 3)', "E204", "3"),
        ("zeros(3)", "E102", "zeros"),
        ("3", "E601", "3"),
        ('"x.csv"', "E601", '"x.csv"'),
        ("X", "E601", "X"),
        ("[1, x]", "E601", "x"),
        ("[[1, 2], [3]]", "E601", "[[1, 2], [3]]"),
        ("[]", "E601", "[]"),
        ('csv("nowhere.csv")', "E601", 'csv("nowhere.csv")'),
        ('npy("nowhere.npy")', "E601", 'npy("nowhere.npy")'),
        ('csv("")', "E601", 'csv("")'),
        ('csv("https://example.org/x.csv")', "E601", 'csv("https://example.org/x.csv")'),
        ('csv("/dev/zero")', "E601", 'csv("/dev/zero")'),
    ],
)
def test_a_wrong_source_is_marked(source, code, marked):
    assert problem(f"data A = {source}") == (code, marked)


def test_a_source_is_checked_though_its_path_is_replaced(folder):
    paths = flag("A", folder / "table.csv")
    assert problem('data A = csv("x", delim = ";")', paths=paths) == ("E203", "delim")


def test_all_errors_are_found_in_one_run(folder):
    text = (
        'data A = csv("x.csv", a = 1, header = 3) data B = npy("y.npy") data C = csv("table.csv")'
    )
    loaded = load(text, base=folder)
    assert [item.code for item in loaded.diagnostics] == ["E203", "E204", "E601"]
    assert list(loaded.arrays) == ["C"]


def test_a_missing_file_suggests_the_likely_one(folder):
    [diagnostic] = load('data A = csv("tabel.csv")', base=folder).diagnostics
    assert diagnostic.hint == "did you mean `table.csv`?"


def test_a_missing_folder_is_named(folder):
    [diagnostic] = load('data A = csv("no/table.csv")', base=folder).diagnostics
    assert diagnostic.hint == f"there is no folder `{folder / 'no'}`"


def test_a_model_without_data_loads_no_numpy():
    code = (
        "import sys; from mlodsl.data import load_data; from mlodsl.diagnostics import Source;"
        "from mlodsl.syntax import parse_program;"
        "load_data(parse_program(Source('m', 'param c = 1'))[0]); print('numpy' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "False"


# ------------------------------------------------------------------ hashes


def test_equal_arrays_have_equal_hashes():
    first = load("data A = [1, 2]").hashes["A"]
    assert first == load("data A", arrays={"A": np.array([1, 2])}).hashes["A"]


def test_a_hash_depends_on_the_numbers():
    assert load("data A = [1, 2]").hashes != load("data A = [1, 3]").hashes


def test_a_hash_depends_on_the_shape():
    assert load("data A = [1, 2]").hashes != load("data A = [[1, 2]]").hashes
