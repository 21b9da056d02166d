"""Functions of the model: their bodies are checked for each call's arguments, and reported once."""

import time

from .checking import diagnose, errors, in_level


def test_an_error_in_a_body_points_there_and_names_the_call() -> None:
    _, (finding,) = diagnose(in_level("add(x, w)", "let add(a, b) = a + b"))
    assert finding.span is not None and finding.span.text == "a + b"
    assert (
        "real[3] and real[4]" in finding.message and "`add` as called in line 7" in finding.message
    )


def test_an_error_in_a_body_is_reported_once_for_all_calls() -> None:
    text = in_level("add(x, w) + add(w, x) + add(x, A)", "let add(a, b) = a + b")
    assert errors(text) == [("E201", "a + b")]


def test_a_body_is_checked_though_nothing_calls_it() -> None:
    assert errors(in_level("x", "let f(a) = a + sum([1, 2] + [1, 2, 3])")) == [
        ("E201", "[1, 2] + [1, 2, 3]")
    ]


def test_a_function_works_for_arguments_of_several_shapes() -> None:
    assert errors(in_level("sum(f(x)) + f(s) + sum(f(A))", "let f(a) = 2 * a")) == []


def test_a_function_may_return_parts() -> None:
    text = "let halves(M) = split(M, 1, 2)\nlet (a, b) = halves([1, 2, 3])\n"
    assert errors(in_level("a[0] + b[1]", text)) == []


def test_an_index_is_followed_into_a_function() -> None:
    text = in_level("sum(f(i) for i in range(3))", "let f(k) = [1, 2, 3][k + 1]")
    assert errors(text) == [("E206", "[1, 2, 3][k + 1]")]


def test_a_size_may_come_through_a_function() -> None:
    assert errors(in_level("first(w, 3) + x", "let first(v, n) = v[:n]")) == []


def test_a_network_may_be_an_argument() -> None:
    text = "let loss(net, X) = mean(net(X)^2)\nlevel l { var f : mlp(3, 2)\n"
    assert errors(text + "minimize loss(f, ones(5, 3)) + sumsq(f) }") == []


def test_calls_that_double_a_hundred_times_are_refused_fast() -> None:
    lets = "let f0(u) = u\n" + "".join(
        f"let f{i}(u) = f{i - 1}(u) * f{i - 1}(-u)\n" for i in range(1, 45)
    )
    started = time.perf_counter()
    assert [code for code, _ in errors(in_level("f44(s)", lets))] == ["E004"]
    assert time.perf_counter() - started < 1


def test_forty_functions_that_call_each_other_are_fine() -> None:
    lets = "let f0(u) = u\n" + "".join(f"let f{i}(u) = f{i - 1}(u) + 1\n" for i in range(1, 40))
    assert errors(in_level("f39(s)", lets)) == []


def test_sixty_functions_that_call_each_other_are_too_deep() -> None:
    lets = "let f0(u) = u\n" + "".join(f"let f{i}(u) = f{i - 1}(u) + 1\n" for i in range(1, 60))
    assert errors(in_level("f59(s)", lets)) == [("E004", "f50")]


def test_the_deepest_nesting_leaves_room_on_the_stack() -> None:
    lets = "let f0(u) = concat(u, u)\n" + "".join(
        f"let f{i}(u) = concat(concat(f{i - 1}(u), u), u)\n" for i in range(1, 48)
    )

    def deep(frames: int) -> list[tuple[str, str | None]]:
        return deep(frames - 1) if frames else errors(in_level("f47(x)", lets))

    assert deep(200) == []
