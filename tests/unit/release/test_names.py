"""Names of tags, of every scheme, and what is none."""

import pytest

from gitops_model.release.names import blocking, is_name, is_release, parse, tag_of


@pytest.mark.parametrize(
    "text, scheme, name, says",
    [
        ("model/resnet/v1.2.0", "gitops-model", "resnet", "1.2.0"),
        ("model/resnet/v1.2.0-rc.1", "gitops-model", "resnet", "1.2.0-rc.1"),
        ("model/a.b-c_d/v0.0.1", "gitops-model", "a.b-c_d", "0.0.1"),
        ("resnet@v1.2.0", "gto", "resnet", "1.2.0"),
        ("resnet@v1.2.0!", "gto", "resnet", "1.2.0 undone"),
        ("resnet@v1.2.0#4", "gto", "resnet", "1.2.0 turn 4"),
        ("resnet#prod", "gto", "resnet", "#prod"),
        ("resnet#prod#3", "gto", "resnet", "#prod turn 3"),
        ("resnet#prod!#4", "gto", "resnet", "#prod undone turn 4"),
        ("resnet-v1.2.0", "hyphen", "resnet", "1.2.0"),
        ("my-model-v1.2.0-rc.1", "hyphen", "my-model", "1.2.0-rc.1"),
    ],
)
def test_a_release(text: str, scheme: str, name: str, says: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.text, found.scheme, found.name) == (text, scheme, name)
    what = str(found.version) if found.version is not None else f"#{found.stage}"
    assert what + " undone" * found.undone + (f" turn {found.turn}" if found.turn is not None else "") == says


@pytest.mark.parametrize(
    "text",
    [
        "v1.2.0",
        "model/resnet",
        "model/resnet/1.2.0",
        "model/resnet/v1.2",
        "model/resnet/v01.2.0",
        "model/resnet/v1.2.0-rc.01",
        "model/a/b/v1.2.0",
        "model/../v1.2.0",
        "model/a..b/v1.2.0",
        "model/a.lock/v1.2.0",
        "model/-a/v1.2.0",
        "model/$(id)/v1.2.0",
        "model/a`id`/v1.2.0",
        "model/a/v1.2.0\n",
        "model/a/v1.2.0\nx=y",
        "model/a/v1.2.0;id",
        "model/\u0430/v1.2.0",
        "model/a/v\u0661.2.0",
        "model/" + "a" * 101 + "/v1.2.0",
        "model/a/v1.2.0-" + "a" * 500,
        "",
    ],
)
def test_no_release(text: str) -> None:
    assert parse(text) is None


def test_what_is_tagged_is_a_release_or_a_numbered_candidate() -> None:
    assert [text for text in ("1.2.0", "1.2.0-rc.1", "0.0.0-rc.12") if not is_release(text)] == []
    bad = ("1.2.0-rc.0", "1.2.0-rc", "1.2.0-beta.1", "1.2.0+b", "1.2.0-rc.1\n", "v1.2.0", "1.2")
    assert [text for text in bad if is_release(text)] == []
    assert tag_of("a", "1.0.0") == "model/a/v1.0.0"
    assert not is_name("a/b")


def test_git_keeps_no_folder_where_a_tag_is() -> None:
    assert blocking("model/a/v1.0.0", frozenset({"model/a", "x"})) == "model/a"
    assert blocking("model/a/v1.0.0", frozenset({"model/a/v1.0.0/x"})) == "model/a/v1.0.0/x"
    assert blocking("model/a/v1.0.0", frozenset({"model/ab", "model/a/v1.0.0", "model/a/v1.0.0-rc.1"})) is None
