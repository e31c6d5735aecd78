"""What a difference looks like where people read it: a terminal of some width, and long texts line by line."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from support.gitrepo import GitRepo
from support.manifests import SWIFT, SWIFT_NEXT
from support.program import Program

ModelFile = Callable[[str, str], Path]
TEMPLATE = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] }}{% endfor %}" * 4


def on_terminal(program: Program, *words: str | Path, width: int, **environ: str) -> str:
    """What a person sees: the output on a terminal so many columns wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    env = {**os.environ, "TERM": "xterm", **environ}
    with subprocess.Popen([program.path, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env) as running:
        os.close(theirs)
        pieces: list[bytes] = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the last writer is gone
                break
            if not piece:
                break
            pieces.append(piece)
        assert running.wait(60) == 0
    os.close(ours)
    return b"".join(pieces).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [60, 120])
def test_on_a_terminal(cli: Program, model_file: ModelFile, width: int) -> None:
    files = [model_file(*SWIFT), model_file(*SWIFT_NEXT)]
    seen = on_terminal(cli, "diff", "--no-index", *files, width=width, NO_COLOR="1")
    lines = seen.splitlines()
    assert "\x1b" not in seen
    assert lines[0].startswith("╭─")
    assert len(lines[0]) == width
    assert all(len(line) <= width for line in lines)
    assert "graph-only, version bump: minor" in "".join(lines[:6])
    assert [word in seen for word in ("ArgMax", "Gather", "Where", "v463")] == [True] * 4
    coloured = on_terminal(cli, "diff", "--no-index", *files, width=width)
    assert "\x1b[1mgraph-only" in coloured


def test_piped_it_is_plain(cli: Program, model_file: ModelFile) -> None:
    files = [model_file(*SWIFT), model_file(*SWIFT_NEXT)]
    plain = cli("diff", "--no-index", *files, check=0)
    assert plain.out.splitlines()[1] == "  graph-only, version bump: minor"
    assert cli("diff", "--no-index", *files, check=0, env={"COLUMNS": "40", "FORCE_COLOR": "1"}).out == plain.out


def gguf_file(path: Path, template: str) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("tokenizer.chat_template", template)
    writer.add_tensor("a.weight", np.ones((2, 2), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


EDITS = ["+{% if tools %}", "-{{ message['role'] + ': ' + message['content'] }}", "+{{ message['content'] }}"]


def test_a_chat_template_line_by_line(cli: Program, tmp_path: Path) -> None:
    now = "{% if tools %}" + TEMPLATE.replace("message['role'] + ': ' + ", "", 1)
    files = [gguf_file(tmp_path / "a.gguf", TEMPLATE), gguf_file(tmp_path / "b.gguf", now)]
    found = cli("diff", "--no-index", *files, "--format", "json", check=0).json()["metadata"]["tokenizer.chat_template"]
    assert (found["before"], found["after"]) == (TEMPLATE, now)
    assert [line for line in found["text"]["lines"] if line[0] in "+-"] == EDITS
    assert (found["text"]["added"], found["text"]["removed"], found["text"]["note"]) == (2, 1, "")
    text = cli("diff", "--no-index", *files, check=0).out
    assert "    tokenizer.chat_template: 2 lines added, 1 removed\n" in text
    assert all(f"      {line}\n" in text for line in EDITS)
    assert max(map(len, text.splitlines())) < 200
    comment = cli("diff", "--no-index", *files, "--format", "markdown", check=0).out
    assert "Text of <code>tokenizer.chat_template</code>: 2 lines added, 1 removed" in comment
    assert '<pre lang="diff">' in comment
    page = cli("diff", "--no-index", *files, "--format", "html", check=0).out
    assert '<span class="removed">-{{ message[&#39;role&#39;]' in page


def test_notes_tell_of_texts_too(cli: Program, git_repo: Callable[..., GitRepo], tmp_path: Path) -> None:
    """Where no file is opened the difference of a text is what it is with the files."""
    texts = {"a": TEMPLATE, "b": f"x{TEMPLATE}"}
    versions = [gguf_file(tmp_path / name, text).read_bytes() for name, text in texts.items()]
    repo = git_repo(files={"m.gguf": versions[0]})
    repo.commit("Next", {"m.gguf": versions[1]})
    words = ("diff", "HEAD~1", "HEAD", "--format", "json")
    plain = cli(*words, cwd=repo.path, check=0).json()["metadata"]
    cli("record", "--rev", "HEAD~1", "m.gguf", cwd=repo.path, check=0)
    cli("record", "m.gguf", cwd=repo.path, check=0)
    assert cli(*words, cwd=repo.path, check=0).json()["metadata"] == plain
    assert plain["tokenizer.chat_template"]["text"]["added"] == 1
