"""`walk` meets every node once, in the document's order."""

from mlodsl.diagnostics import Source
from mlodsl.syntax import nodes, parse_expression, parse_program, walk

TEXT = (
    "let f(a, b) = a + b # sum\nlevel u { var x : real[n] in [0, n] = f(1, k = 2) minimize x[0:1] }"
)


def test_nodes_come_in_the_order_of_the_document() -> None:
    program, _ = parse_program(Source("test.mlo", TEXT))
    assert program is not None
    starts = [node.span.start for node in walk(program)]
    assert starts == sorted(starts)


def test_every_name_is_met() -> None:
    found = walk(parse_expression(Source("e", "a + f(b, k = c)[d:e, g]")))
    assert [node.name for node in found if isinstance(node, nodes.Name)] == list("abcdeg")


def test_the_node_itself_comes_first() -> None:
    expression = parse_expression(Source("e", "a"))
    assert list(walk(expression)) == [expression]
