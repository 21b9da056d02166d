"""csv files: what is read, and what is said about cells that aren't numbers."""

import time

import numpy as np
import pytest

from mlodsl.data.csv_file import read_csv
from mlodsl.data.structure import CsvSource, Unreadable
from mlodsl.diagnostics import Source, Span

NOWHERE = Span(Source("m.mlo", ""), 0, 0)


def read(tmp_path, text, **arguments):
    path = tmp_path / "x.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if "columns" in arguments:
        arguments["column_spans"] = (NOWHERE,) * len(arguments["columns"])
    return read_csv(path, CsvSource("x.csv", **arguments))


def problem(tmp_path, text, **arguments):
    with pytest.raises(Unreadable) as error:
        read(tmp_path, text, **arguments)
    return error.value


TABLE = [[1.0, 2.5], [-3.0, 4e-3]]


@pytest.mark.parametrize(
    "text",
    [
        "1,2.5\n-3,4e-3\n",
        "1;2.5\n-3;4e-3\n",
        "1\t2.5\n-3\t4e-3\n",
        "1 2.5\n-3   4e-3\n",
        "  1   2.5\n -3  4e-3\n",
        "1, 2.5\n-3, 4e-3\n",
        "1,2.5\n-3,4e-3",
        "1,2.5\r\n-3,4e-3\r\n",
        "1,2.5\r-3,4e-3\r",
        "\ufeff1,2.5\n-3,4e-3\n",
        "\n\n1,2.5\n\n-3,4e-3\n\n\n",
        "1,2.5\n   \n-3,4e-3\n",
        '"1","2.5"\n"-3","4e-3"\n',
        "a,b\n1,2.5\n-3,4e-3\n",
        '"a b";"c,d"\n1;2.5\n-3;4e-3\n',
        '"a\nb",c\n1,2.5\n-3,4e-3\n',
        "Na,Mg\n1,2.5\n-3,4e-3\n",
        ",b\n1,2.5\n-3,4e-3\n",
        "# made by hand\n1,2.5\n-3,4e-3\n",
        "# a b\n1 2.5\n-3 4e-3\n",
        "1.,+2.5\n-3.0E0,.4E-2\n",
    ],
    ids=range(21),
)
def test_a_table_is_read(tmp_path, text):
    np.testing.assert_array_equal(read(tmp_path, text), TABLE)


def test_a_single_column_is_a_table(tmp_path):
    assert read(tmp_path, "1\n2\n3\n").shape == (3, 1)


def test_a_single_row_is_a_table(tmp_path):
    assert read(tmp_path, "1,2,3\n").shape == (1, 3)


def test_a_header_in_numbers_is_skipped_where_the_model_says_so(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, "2019,2020\n1,2\n", header=True), [[1, 2]])


def test_a_given_delimiter_is_used(tmp_path):
    assert read(tmp_path, "1|2\n3|4\n", delimiter="|").shape == (2, 2)


def test_columns_are_chosen_by_index_and_by_name_in_their_order(tmp_path):
    text = "a,b,c\n1,2,3\n4,5,6\n"
    np.testing.assert_array_equal(read(tmp_path, text, columns=("c", 0)), [[3, 1], [6, 4]])


def test_a_negative_index_counts_from_the_end(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, "1,2,3\n", columns=(-1,)), [[3]])


def test_columns_that_are_not_chosen_may_hold_text(tmp_path):
    text = "5.1,3.5,setosa\n4.9,,virginica\n"
    np.testing.assert_array_equal(read(tmp_path, text, columns=(0,)), [[5.1], [4.9]])


@pytest.mark.parametrize(
    ("column", "names", "words"),
    [
        (7, "a,b\n", "there is no column 7"),
        (-3, "a,b\n", "there is no column -3"),
        ("pH", "ph,b\n", "there is no column `pH`; there are `ph`, `b`"),
        ("a", "a,a\n", "2 columns are named `a`"),
    ],
)
def test_a_column_that_is_not_there_is_refused(tmp_path, column, names, words):
    error = problem(tmp_path, names + "1,2\n", columns=(column,))
    assert error.code == "E601" and words in error.message and error.span is NOWHERE


def test_a_named_column_needs_a_header(tmp_path):
    error = problem(tmp_path, "1,2\n", header=False, columns=("a",))
    assert "has no header" in error.message


# ------------------------------------------------------------------ bad cells


@pytest.mark.parametrize(
    "cell", ["abc", "", "nan", "inf", "NA", "1e999", "0x1F", "1_000", "1 2", "٣"]
)
@pytest.mark.parametrize("rows_above", [0, 2])
def test_a_cell_that_is_no_number_is_named_by_line_and_column(tmp_path, cell, rows_above):
    text = "a,b\n" + "1,2\n" * rows_above + f"1,{cell}\n"
    error = problem(tmp_path, text)
    assert error.code == "E602"
    assert error.message.startswith(f"line {rows_above + 2}, column 2 (`b`): expected a number")


def test_blank_lines_count_for_the_line_of_a_bad_cell(tmp_path):
    assert problem(tmp_path, "a,b\n\n1,2\n\n\n1,x\n").message.startswith("line 6, column 2")


def test_lines_of_a_header_in_quotes_count(tmp_path):
    assert problem(tmp_path, '"a\nb",c\n1,x\n').message.startswith("line 3, column 2")


def test_a_decimal_comma_is_recognised(tmp_path):
    error = problem(tmp_path, "a;b\n7,4;0,7\n")
    assert error.code == "E602" and error.hint == "write the decimal point as `.`"


def test_a_text_in_the_first_line_of_numbers_is_a_bad_cell_and_no_header(tmp_path):
    error = problem(tmp_path, "1,x\n2,3\n")
    assert error.code == "E602" and "header = true" in error.hint


@pytest.mark.parametrize("line", ["1", "1,2,3", "1,2,"])
def test_a_line_of_another_width_is_named(tmp_path, line):
    error = problem(tmp_path, f"a,b\n1,2\n{line}\n1,2\n")
    assert error.code == "E602" and error.message.startswith("line 3 has ")


def test_a_header_of_another_width_is_refused(tmp_path):
    assert problem(tmp_path, "a,b,c\n1,2\n").code == "E602"


@pytest.mark.parametrize("text", ['1,2\n"3,4\n', 'x\n1\n"2\n'])
def test_a_quote_that_is_never_closed_is_refused(tmp_path, text):
    assert problem(tmp_path, text).code == "E602"


# ------------------------------------------------------------------ bad files


@pytest.mark.parametrize("text", ["", "\n\n", "   \n", "# nothing\n", "\ufeff"])
def test_an_empty_file_is_refused(tmp_path, text):
    error = problem(tmp_path, text)
    assert error.code == "E601" and "empty" in error.message


def test_a_header_alone_is_refused(tmp_path):
    assert "no rows" in problem(tmp_path, "a,b\n").message


@pytest.mark.parametrize(
    "raw", [b"1,\xff\n", b"1,2\n3,\0\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04\xff"]
)
def test_what_is_no_text_is_refused(tmp_path, raw):
    assert problem(tmp_path, raw).code == "E601"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="is a folder"):
        read_csv(tmp_path, CsvSource("."))


def test_five_thousand_rows_are_read_in_a_tenth_of_a_second(tmp_path):
    rows = np.random.default_rng(0).normal(size=(5000, 12))
    path = tmp_path / "x.csv"
    np.savetxt(path, rows, delimiter=";", fmt="%.17g", header="a;b", comments="")
    path.write_text("\n".join(["a;b;c;d;e;f;g;h;i;j;k;l", *path.read_text().split("\n")[1:]]))
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        table = read_csv(path, CsvSource("x.csv"))
        best = min(best, time.perf_counter() - start)
    np.testing.assert_array_equal(table, rows)
    assert best < 0.1
