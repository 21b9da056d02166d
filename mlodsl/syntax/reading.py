"""Bytes to a source: UTF-8, any line ends, a byte-order mark or none."""

from __future__ import annotations

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def decode(name: str, raw: bytes) -> Source:
    """The text of a file.

    Arguments:
        name: what diagnostics show for it.
        raw: its bytes.

    Raises:
        ModelError: E003, at the first byte that isn't UTF-8.
    """
    body = raw.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        # What was readable, so that the place can be shown.
        readable = _normalise(body[: error.start].decode("utf-8"))
        source = Source(name, readable + _normalise(body[error.start :].decode("latin-1")))
        place = Span(source, len(readable), len(readable) + 1)
        encoding = _OTHER_MARKS.get(raw[:2])
        message = (
            f"the file is {encoding} text, not UTF-8"
            if encoding
            else f"byte 0x{body[error.start]:02x} in line {source.position(place.start)[0]} "
            "is not UTF-8 text"
        )
        raise ModelError([Diagnostic("E003", message, place, "save the file as UTF-8")]) from None
    return Source(name, _normalise(text))


def _normalise(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
