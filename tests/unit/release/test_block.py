"""The block in a tag's message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_model.release.block import Block, File, read, write

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
FILES = st.lists(
    st.builds(File, TEXT, TEXT, st.none() | TEXT, st.none() | TEXT), max_size=4, unique_by=lambda f: f.path
)
BLOCK = Block("a", "1.0.0", "m/model.yaml", "0" * 64, (File("m/a.onnx", "1" * 40, "gm1-weights:0", "gm1-structure:0"),))


@given(FILES, TEXT, st.text(max_size=100))
def test_what_is_written_is_read(files: list[File], manifest: str, words: str) -> None:
    block = Block("a", "1.0.0", manifest, "0" * 64, tuple(sorted(files, key=lambda f: (f.path, f.blob))))
    text = write(block, words.replace("\0", ""))
    assert read(text) == block
    assert read(text + "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n") == block


def test_it_is_what_git_calls_trailers() -> None:
    last = write(BLOCK, "Words: of the user\n\nMore").rstrip("\n").rpartition("\n\n")[2]
    assert all(line.startswith("Gitops-Model") and ": " in line for line in last.splitlines())


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Release 1",
        write(BLOCK) + "\nSigned-off-by: x\n",
        write(BLOCK).replace("Gitops-Model: 1", "Gitops-Model: 2"),
        write(BLOCK).replace("Gitops-Model: 1\n", ""),
        write(BLOCK).replace("Gitops-Model-Name: a\n", "Gitops-Model-Name: a\nGitops-Model-Name: b\n"),
        write(BLOCK).replace('{"path"', "{path"),
        write(BLOCK).replace('"sha256"', '"sha512"'),
        write(BLOCK).replace('"blob":"' + "1" * 40 + '"', '"blob":1'),
        write(BLOCK).replace("Gitops-Model-Manifest: {", "Gitops-Model-Manifest: " + "[" * 5000 + "{"),
    ],
)
def test_no_block(message: str) -> None:
    assert read(message) is None
