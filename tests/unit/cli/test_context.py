"""What a verb is given of its process: streams, colours, a bar that only a terminal sees."""

import io
from collections.abc import Callable

import pytest

from gitops_model.cli import progress
from gitops_model.cli.context import Context


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def context(stderr: io.StringIO, **environ: str) -> Context:
    return Context(environ, "/", io.StringIO(), stderr, [])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_no_bar_where_nobody_looks() -> None:
    stream = io.StringIO()
    bar = context(stream).progress()
    for done in range(100):
        bar("hashing", done, 100)
    assert stream.getvalue() == ""
    assert context(stream).counter("hashing") is None
    assert context(Terminal(), TERM="dumb").counter("hashing") is None


def test_a_bar_waits_redraws_seldom_and_goes_away(clock: Callable[[float], None]) -> None:
    stream = Terminal()
    bar = context(stream, TERM="xterm").progress()
    bar("hashing \x1b[31m", 1, 100)
    assert stream.getvalue() == ""
    clock(1)
    bar("hashing \x1b[31m", 50, 100)
    bar("hashing \x1b[31m", 51, 100)
    assert stream.getvalue() == "\r\x1b[K 50% hashing \\x1b[31m"
    clock(1)
    bar("hashing", 100, 100)
    assert stream.getvalue().endswith("\r\x1b[K")


def test_what_is_done_at_once_draws_nothing(clock: Callable[[float], None]) -> None:
    stream = Terminal()
    bar = context(stream, TERM="xterm").progress()
    bar("hashing", 100, 100)
    assert stream.getvalue() == ""


def test_a_counter_adds_up(clock: Callable[[float], None]) -> None:
    stream = Terminal()
    counter = context(stream, TERM="xterm").counter("reading")
    assert counter is not None
    clock(1)
    counter(3 << 20)
    clock(1)
    counter(2 << 20)
    assert "reading 5 MiB" in stream.getvalue()


def test_talk_and_results_stand_on_a_line_of_their_own(clock: Callable[[float], None]) -> None:
    stream = Terminal()
    here = context(stream, TERM="xterm")
    counter = here.counter("reading")
    assert counter is not None
    clock(1)
    counter(1 << 20)
    here.say("done")
    assert stream.getvalue() == "\r\x1b[Kreading 1 MiB\r\x1b[Kdone\n"
    here.flush()
    assert stream.getvalue().endswith("done\n")


def test_talk_is_made_inert() -> None:
    stream = io.StringIO()
    context(stream).say("a\x1b[31m", hint="b\u202e")
    assert stream.getvalue() == "a\\x1b[31m\n  hint: b\\u202e\n"
