"""An image's configuration is the same wherever it lies; what does not fit its digest is refused."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from support.registry import FakeRegistry, Images

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu import tar as tar_module
from gitops_model.gpu.image import Descriptor, Image, Layout, Remote, read_images
from gitops_model.gpu.tar import Tar, is_tar
from gitops_model.gpu.tree import Folder, Tree
from gitops_model.net.registry import Registry, parse_reference

ENV = {"PATH": "/usr/bin", "CUDA_VERSION": "12.4.1", "NVIDIA_REQUIRE_CUDA": "cuda>=12.4 brand=tesla,driver>=470"}


def tar_of(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def tree_of(files: dict[str, bytes]) -> Tree:
    return Tar(Blob.of_bytes("image.tar", tar_of(files)))


def code_of(files: dict[str, bytes], **options: Any) -> str:
    with pytest.raises(BadFile) as caught:
        read_images(Layout(tree_of(files), options.pop("name", None)), **options)
    return caught.value.problem.code


def old_archive(images: Images, env: dict[str, str], tags: list[str]) -> dict[str, bytes]:
    """What `docker save` wrote before version 25."""
    manifest = json.loads(images.blobs[images.image(env)["digest"]])
    digest = manifest["config"]["digest"].removeprefix("sha256:")
    return {
        "manifest.json": json.dumps(
            [{"Config": f"{digest}.json", "RepoTags": tags, "Layers": ["x/layer.tar"]}]
        ).encode(),
        f"{digest}.json": images.blobs[f"sha256:{digest}"],
        "x/layer.tar": b"a layer that nobody reads",
    }


# --- one image, five places -----------------------------------------------------------------------------------------
def test_a_folder_a_tar_an_old_tar_and_a_registry_say_the_same(tmp_path: Path) -> None:
    images = Images()
    descriptor = images.image(ENV, labels={"maintainer": "me"})
    images.tags["v1"] = descriptor["digest"]
    files = images.layout(descriptor)
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    manifest = json.loads(images.blobs[descriptor["digest"]])
    config = manifest["config"]["digest"]
    old = {
        "manifest.json": json.dumps([{"Config": f"{config[7:]}.json", "RepoTags": ["x:1"], "Layers": []}]).encode(),
        f"{config[7:]}.json": images.blobs[config],
    }
    found = [read_images(Layout(tree)) for tree in (Folder(str(tmp_path)), tree_of(files), tree_of(old))]
    with FakeRegistry(images, "a/b", token="t").running() as server:
        reference = parse_reference(f"{server.host}/a/b:v1")
        found.append(read_images(Remote(Registry(reference), "v1")))
        assert not [path for path, _ in server.seen if manifest["layers"][0]["digest"] in path], "no layer is fetched"
    for (image,) in found:
        assert image._replace(layers=()) == Image(config, "amd64", "linux", ENV, {"maintainer": "me"}, ())
    assert found[0][0].layers[0].digest == manifest["layers"][0]["digest"]


def test_a_platform_is_chosen_from_an_index() -> None:
    images = Images()
    attestation = {**images.image({}), "platform": {"architecture": "unknown", "os": "unknown"}}
    index = images.index(images.image({"A": "1"}), images.image({"A": "2"}, "arm64"), attestation)
    files = images.layout(index)
    assert [image.architecture for image in read_images(Layout(tree_of(files)))] == ["amd64", "arm64"]
    (arm,) = read_images(Layout(tree_of(files)), "arm64")
    assert arm.environment == {"A": "2"}
    assert code_of(files, architecture="ppc64le") == "GM010"


def test_an_image_is_chosen_by_name() -> None:
    images = Images()
    one, two = images.image({"A": "1"}), images.image({"A": "2"})
    for descriptor, name in ((one, "one"), (two, "two")):
        del descriptor["platform"]
        descriptor["annotations"] = {"org.opencontainers.image.ref.name": name}
    files = images.layout(one, two)
    assert read_images(Layout(tree_of(files), "two"))[0].environment == {"A": "2"}
    assert code_of(files) == "GM009"
    assert code_of(files, name="three") == "GM010"


def test_an_old_archive_of_several_images_needs_a_name() -> None:
    images = Images()
    files = old_archive(images, {"A": "1"}, ["x:1"])
    other = old_archive(images, {"A": "2"}, ["x:2"])
    both = {**files, **other}
    both["manifest.json"] = json.dumps(
        [*json.loads(files["manifest.json"]), *json.loads(other["manifest.json"])]
    ).encode()
    assert read_images(Layout(tree_of(both), "x:2"))[0].environment == {"A": "2"}
    assert code_of(both) == "GM009"
    assert code_of(both, name="x:3") == "GM010"


# --- images that lie ------------------------------------------------------------------------------------------------
def test_every_changed_blob_is_noticed() -> None:
    images = Images()
    files = images.layout(images.image(ENV))
    for name in files:
        if name.startswith("blobs/") and b"layer that" not in files[name]:
            changed = {
                **files,
                name: files[name].replace(b"linux", b"linuy").replace(b"schemaVersion", b"schemaVersioN"),
            }
            assert code_of(changed) == "GM201"
            shorter = {**files, name: files[name][:-1]}
            assert code_of(shorter) == "GM201"
            assert code_of({key: data for key, data in files.items() if key != name}) == "GM010"


@pytest.mark.parametrize(
    "index",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"manifests": {}}', b'{"manifests": [1]}', b'{"manifests": [{}]}',
        b'{"manifests": [{"digest": "md5:0"}]}', b'{"manifests": [{"digest": "sha256:../../../../etc/passwd"}]}',
        b'{"manifests": [{"digest": 1}]}',
    ],
)  # fmt: skip
def test_an_index_that_is_not_understood_is_malformed(index: bytes) -> None:
    assert code_of({"index.json": index}) == "GM002"


@pytest.mark.parametrize(
    "config",
    [
        {"config": []}, {"config": {"Env": "A=1"}}, {"config": {"Env": [1]}}, {"config": {"Labels": {"a": 1}}},
        {"architecture": 1}, [], None, "x",
    ],
)  # fmt: skip
def test_a_configuration_that_is_not_understood_is_malformed(config: object) -> None:
    images = Images()
    manifest = images.add({"config": images.add(config, "c"), "layers": []}, "")
    assert code_of(images.layout(manifest)) == "GM002"


def test_a_configuration_without_environment_is_fine() -> None:
    images = Images()
    manifest = images.add({"config": images.add({"config": {"Env": None, "Labels": None}}, "c")}, "")
    (image,) = read_images(Layout(tree_of(images.layout(manifest))))
    assert image.environment == {}


def test_indexes_in_indexes_end() -> None:
    images = Images()
    descriptor = images.image({})
    for _ in range(6):
        descriptor = images.index(descriptor)
    assert code_of(images.layout(descriptor)) == "GM005"


def test_a_flood_of_platforms_is_refused() -> None:
    images = Images()
    assert code_of(images.layout(images.index(*[images.image({})] * 100))) == "GM005"


def test_a_document_that_is_too_large_is_not_read() -> None:
    images = Images()
    files = images.layout(images.image(ENV))
    assert code_of({**files, "index.json": b" " * (5 << 20)}) == "GM005"


def test_no_image_at_all() -> None:
    assert code_of({"README": b"hello"}) == "GM009"


def test_a_link_in_a_layout_does_not_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"manifests": []}')
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "index.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BadFile) as caught:
        read_images(Layout(Folder(str(tmp_path / "layout"))))
    assert caught.value.problem.code == "GM009"


# --- tar ------------------------------------------------------------------------------------------------------------
LONG = "a/" * 150 + "name"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_are_read(form: int) -> None:
    archive = Tar(Blob.of_bytes("x", tar_of({LONG: b"one", "short": b"two"}, form)))
    one, two = archive.open(LONG), archive.open("short")
    assert one is not None
    assert two is not None
    assert (one.read(0, one.size), two.read(0, two.size)) == (b"one", b"two")
    assert archive.names("") == ("a", "short")


def test_ustar_prefixes_are_read() -> None:
    name = "d" * 90 + "/" + "f" * 90
    archive = Tar(Blob.of_bytes("x", tar_of({name: b"x"}, tarfile.USTAR_FORMAT)))
    assert archive.open(name) is not None


def test_links_and_devices_are_not_files() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, kind in (
            ("s", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("c", tarfile.CHRTYPE),
            ("p", tarfile.FIFOTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.linkname = "/etc/passwd"
            archive.addfile(member)
    assert Tar(Blob.of_bytes("x", stream.getvalue())).names("") == ()


def bad_tar(data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        Tar(Blob.of_bytes("x", data))
    return caught.value.problem.code


def test_a_file_named_twice_is_refused() -> None:
    assert bad_tar(tar_of({"a": b"1"})[:1024] + tar_of({"./a": b"2"})) == "GM002"


@pytest.mark.parametrize("name", ["../a", "a/../../b", "."])
def test_a_name_that_leaves_the_archive_is_refused(name: str) -> None:
    assert bad_tar(tar_of({name: b"x"})) == "GM002"


def test_every_truncation_of_an_archive_is_noticed() -> None:
    data = tar_of({LONG: b"one", "b": b"two" * 300})
    end = len(data.rstrip(b"\0"))
    for length in range(0, end, 7):
        if length % 512 or length == 0:
            assert bad_tar(data[:length]) == "GM001"


def test_a_broken_checksum_is_noticed() -> None:
    data = tar_of({"a": b"x"})
    assert bad_tar(b"b" + data[1:]) == "GM002"
    assert is_tar(data)
    assert not is_tar(b"b" + data[1:])


def test_a_flood_of_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_module, "MAX_MEMBERS", 10)
    assert bad_tar(tar_of({str(index): b"" for index in range(11)})) == "GM005"


def test_what_tarfile_reads_is_read() -> None:
    """The standard library as the judge, on names and sizes of every kind."""
    files = {f"{'d' * index}/{index}": bytes([index]) * (index * 37) for index in range(1, 60)}
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        archive = Tar(Blob.of_bytes("x", tar_of(files, form)))
        for name, data in files.items():
            file = archive.open(name)
            assert file is not None
            assert file.read(0, file.size) == data


def test_a_compressed_archive_is_said_to_be_none() -> None:
    assert not is_tar(gzip.compress(tar_of({"a": b"x"})))


def test_a_descriptor_is_a_plain_value() -> None:
    assert Descriptor("sha256:0", 1) == ("sha256:0", 1, "", "")
