"""What a verb is given of its process: environment, folder, streams. Nothing below cli/ reads these itself."""

import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TextIO, TypeAlias

if TYPE_CHECKING:
    from gitops_model.cli.progress import Bar

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a label, the bytes (or things) done and their total; the total 0 means that it is not known."""


class Context(NamedTuple):
    """`stdout` is the result, `stderr` is talk; `bars` are the progress bars that may stand on the terminal."""

    environ: Mapping[str, str]
    cwd: str
    stdout: TextIO
    stderr: TextIO
    bars: "list[Bar] | None" = None

    @classmethod
    def of_process(cls, environ: Mapping[str, str]) -> "Context":
        for stream in (sys.stdout, sys.stderr):
            # A name that the locale cannot spell must not end the run; tests replace the streams by plain ones.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            cwd = os.getcwd()
        except OSError:
            cwd = ""  # the folder was deleted: only what needs it fails
        return cls(environ, cwd, sys.stdout, sys.stderr, [])

    def say(self, message: str, *, hint: str | None = None) -> None:
        """A line of talk, made inert, with the command to run next on a line of its own."""
        from gitops_model.render.inert import for_terminal

        self.clear_bars()
        print(for_terminal(message), file=self.stderr)
        if hint:
            print(f"  hint: {for_terminal(hint)}", file=self.stderr)

    def programs(self) -> str:
        """The folder of our console scripts: where this one was started, else where the interpreter's are."""
        started = os.path.dirname(os.path.realpath(sys.argv[0]))
        if os.access(os.path.join(started, "gitops-model-hook"), os.X_OK):
            return started
        return os.path.dirname(os.path.abspath(sys.executable))

    def colour(self, when: str = "auto") -> bool:
        """Whether the result may hold colours: `always`, `never`, or on a terminal unless NO_COLOR says otherwise."""
        if when != "auto":
            return when == "always"
        return not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb" and self.stdout.isatty()

    def width(self) -> int:
        """Columns of the terminal that shows the result; 0 where it is no terminal and lines may be of any length."""
        if not self.stdout.isatty():
            return 0
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns
        except OSError:
            return 80

    def progress(self) -> Progress:
        """A bar on stderr if that is a terminal, else nothing at all."""
        if not self.stderr.isatty() or self.environ.get("TERM") == "dumb":
            return _no_progress
        from gitops_model.cli.progress import Bar

        bar = Bar(self.stderr)
        if self.bars is not None:
            self.bars.append(bar)
        return bar

    def clear_bars(self) -> None:
        """Take the bars away: what is written next may go to the same terminal."""
        for bar in self.bars or ():
            bar.clear()

    def counter(self, label: str) -> Callable[[int], None] | None:
        """A bar that is told how many more bytes were done; None where nobody would see it."""
        bar = self.progress()
        if bar is _no_progress:
            return None
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            bar(f"{label} {done / 2**20:,.0f} MiB", done, 0)

        return more

    def flush(self) -> None:
        self.clear_bars()
        self.stdout.flush()
        self.stderr.flush()


def _no_progress(_label: str, _done: int, _total: int) -> None:
    return None
