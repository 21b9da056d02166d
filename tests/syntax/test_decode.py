"""Bytes become text: encodings, line ends, byte-order marks."""

import pytest

from mlodsl.diagnostics import ModelError
from mlodsl.syntax import decode, parse_program


@pytest.mark.parametrize("raw", [b"let a = 1\r\nlet b = 2\r\n", b"let a = 1\rlet b = 2\r"])
def test_any_line_end_is_a_line_end(raw: bytes) -> None:
    assert decode("a.mlo", raw).text == "let a = 1\nlet b = 2\n"


def test_a_byte_order_mark_takes_no_column() -> None:
    _, (diagnostic,) = parse_program(decode("a.mlo", b"\xef\xbb\xbf?"))
    assert str(diagnostic.span) == "a.mlo:1:1"


def test_other_bytes_than_utf8_are_an_error_at_their_place() -> None:
    with pytest.raises(ModelError) as caught:
        decode("a.mlo", b"let a = 1\r\nlet b = \xe9\n")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, str(diagnostic.span)) == ("E003", "a.mlo:2:9")
    assert "0xe9" in diagnostic.message


def test_utf16_is_named() -> None:
    with pytest.raises(ModelError, match="UTF-16"):
        decode("a.mlo", "let a = 1".encode("utf-16"))


def test_a_tab_is_one_column() -> None:
    _, (diagnostic,) = parse_program(decode("a.mlo", b"let a =\t\t?"))
    assert str(diagnostic.span) == "a.mlo:1:10"


def test_columns_count_code_points() -> None:
    _, (diagnostic,) = parse_program(decode("a.mlo", 'let a = "🎈é" ?'.encode()))
    assert str(diagnostic.span) == "a.mlo:1:14"
