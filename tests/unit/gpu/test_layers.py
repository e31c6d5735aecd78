"""The layers of an image lie over one another as in a container, and nothing of them is extracted or followed out."""

import gzip
import io
import tarfile
from contextlib import ExitStack
from typing import Any

import pytest
from support.registry import FakeRegistry, Images

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu import layers as layers_module
from gitops_model.gpu.image import Image, Layout, Remote, read_images
from gitops_model.gpu.layers import Rootfs, packages_of, search_of, unpack
from gitops_model.gpu.tar import Tar
from gitops_model.gpu.tree import Tree
from gitops_model.gpu.wheels import Package
from gitops_model.net.registry import Registry, parse_reference


def layer(**entries: bytes | str) -> bytes:
    """Files by content, links by the target after `->`, hard links after `=>`; `__` stands for `/`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for key, content in entries.items():
            member = tarfile.TarInfo(key.replace("__", "/").replace("_so", ".so").replace("WH_", ".wh."))
            if isinstance(content, str):
                member.type = tarfile.SYMTYPE if content.startswith("->") else tarfile.LNKTYPE
                member.linkname = content[2:]
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def root(*layers: bytes) -> Rootfs:
    return Rootfs([Blob.of_bytes("layer", data) for data in layers])


def content(tree: Tree, path: str) -> bytes | None:
    file = tree.open(path)
    return None if file is None else file.read(0, file.size)


# --- over one another -----------------------------------------------------------------------------------------------
def test_an_upper_layer_replaces_a_file() -> None:
    tree = root(layer(a_so=b"old", b_so=b"kept"), layer(a_so=b"new"))
    assert (content(tree, "a.so"), content(tree, "b.so")) == (b"new", b"kept")
    assert list(tree.walk()) == ["a.so", "b.so"]


def test_a_whiteout_takes_a_file_or_a_folder_away() -> None:
    lower = layer(d__a_so=b"1", d__b_so=b"2", e__c_so=b"3")
    assert list(root(lower, layer(d__WH_a_so=b"")).walk()) == ["d/b.so", "e/c.so"]
    assert list(root(lower, layer(WH_d=b"")).walk()) == ["e/c.so"]
    assert list(root(lower, layer(WH_d=b""), layer(d__a_so=b"4")).walk()) == ["d/a.so", "e/c.so"]


def test_an_opaque_folder_hides_what_lower_layers_put_there() -> None:
    lower = layer(d__a_so=b"1", d__x__b_so=b"2", e__c_so=b"3")
    assert list(root(lower, layer(**{"d__.wh..wh..opq": b"", "d__new_so": b"4"})).walk()) == ["d/new.so", "e/c.so"]
    assert list(root(lower, layer(**{".wh..wh..opq": b""})).walk()) == []


def test_a_whiteout_does_not_touch_its_own_layer() -> None:
    assert list(root(layer(a_so=b"1", WH_a_so=b"")).walk()) == ["a.so"]


def test_files_and_links_replace_each_other() -> None:
    assert content(root(layer(a_so=b"1", b_so=b"2"), layer(a_so="->b.so")), "a.so") == b"2"
    assert content(root(layer(a_so="->b.so", b_so=b"2"), layer(a_so=b"1")), "a.so") == b"1"


def test_files_that_say_nothing_are_not_kept_but_hide_others() -> None:
    tree = root(layer(**{"a": "->lib.so", "lib_so": b"1", "readme.txt": b"x"}), layer(a=b"a plain file"))
    assert list(tree.walk()) == ["lib.so"]
    assert content(tree, "a") is None


# --- links ----------------------------------------------------------------------------------------------------------
def test_links_to_files_and_folders_are_followed_inside() -> None:
    tree = root(
        layer(
            usr__lib__libx_so=b"x",
            lib="->usr/lib",
            usr__lib__liby_so="->libx.so",
            opt__libz_so="->/usr/lib/libx.so",
            deep__er__link="->../../lib",
            hard_so="=>usr/lib/libx.so",
        )
    )
    for path in ("lib/libx.so", "lib/liby.so", "opt/libz.so", "deep/er/link/liby.so", "hard.so", "../../lib/libx.so"):
        assert content(tree, path) == b"x", path
    assert tree.names("lib") == ("libx.so", "liby.so")


@pytest.mark.parametrize("target", ["->a.so", "->../../../../etc/passwd", "->/etc/passwd", "->b/../a.so", "->"])
def test_links_out_or_in_circles_lead_nowhere(target: str) -> None:
    assert content(root(layer(a_so=target)), "a.so") is None


def test_a_ladder_of_links_ends() -> None:
    """Each link names two more: without a limit the steps double with every rung."""
    ladder = {f"l{index}": f"->l{index + 1}/l{index + 1}" for index in range(60)}
    assert content(root(layer(**ladder)), "l0/a.so") is None


# --- unpacking ------------------------------------------------------------------------------------------------------
def packed(images: Images, *layers: bytes, env: dict[str, str] | None = None) -> dict[str, Any]:
    config = {"architecture": "amd64", "os": "linux", "config": {"Env": [f"{k}={v}" for k, v in (env or {}).items()]}}
    rows = [images.add(data, "application/vnd.oci.image.layer.v1.tar") for data in layers]
    return images.add({"config": images.add(config, "c"), "layers": rows}, "")


def layout(images: Images, descriptor: dict[str, Any]) -> Layout:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in images.layout(descriptor).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return Layout(Tar(Blob.of_bytes("image.tar", stream.getvalue())))


def unpacked(*layers: bytes) -> list[str]:
    images = Images()
    store = layout(images, packed(images, *layers))
    (image,) = read_images(store)
    with ExitStack() as stack:
        return list(unpack(store, image, stack).walk())


def test_plain_and_gzip_layers_are_unpacked() -> None:
    assert unpacked(layer(a_so=b"1"), gzip.compress(layer(b_so=b"2"))) == ["a.so", "b.so"]


def test_gzip_members_and_padding_behind_them_are_one_layer() -> None:
    data = layer(a_so=b"1" * 5000)
    assert unpacked(gzip.compress(data[:600]) + gzip.compress(data[600:]) + bytes(100)) == ["a.so"]


def test_layers_of_a_registry_are_checked_while_they_are_fetched() -> None:
    images = Images()
    images.tags["v1"] = packed(images, gzip.compress(layer(a_so=b"1")))["digest"]
    with FakeRegistry(images, "a/b", token="t").running() as server, ExitStack() as stack:
        store = Remote(Registry(parse_reference(f"{server.host}/a/b:v1")), "v1")
        (image,) = read_images(store)
        assert list(unpack(store, image, stack).walk()) == ["a.so"]
        images.blobs[image.layers[0].digest] = b"other"
        with pytest.raises(BadFile) as caught:
            unpack(store, image, stack)
        assert caught.value.problem.code == "GM201"


def code_of(*layers: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        unpacked(*layers)
    return caught.value.problem.code


@pytest.mark.parametrize(
    "data, code",
    [
        (b"\x28\xb5\x2f\xfdxxxx", "GM009"),
        (gzip.compress(layer(a_so=b"1"))[:-9], "GM001"),
        (gzip.compress(layer(a_so=b"1" * 9999))[:60], "GM001"),
        (b"\x1f\x8b" + b"x" * 100, "GM002"),
        (b"no archive" * 100, "GM002"),
        (b"short", "GM001"),
        (gzip.compress(layer(**{"..__a_so": b"1"})), "GM002"),
    ],
    ids=["zstd", "cut at the end", "cut in the middle", "no gzip", "no tar", "short", "out of the archive"],
)  # fmt: skip
def test_a_layer_that_is_no_archive_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_module, "MAX_BYTES", 1 << 20)
    assert code_of(gzip.compress(bytes(2 << 20))) == "GM005"
    assert code_of(bytes(2 << 20)) == "GM005"


def test_a_flood_of_layers_or_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers_module, "MAX_LAYERS", 2)
    assert code_of(*[layer(a_so=bytes([index])) for index in range(3)]) == "GM005"
    monkeypatch.setattr(layers_module, "MAX_KEPT", 2)
    assert code_of(layer(a_so=b"", b_so=b"", c_so=b"")) == "GM005"


def test_an_image_that_does_not_say_where_its_layers_are_is_refused() -> None:
    assert code_of() == "GM009"


# --- what a loader would do -----------------------------------------------------------------------------------------
def test_the_loader_of_a_container_is_followed() -> None:
    tree = root(
        layer(**{
            "etc__ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n",
            "etc__ld.so.conf.d__cuda.conf": b"/usr/local/cuda/lib64  # CUDA\n\nrelative\n",
            "etc__ld.so.conf.d__notes": b"/not/read\n",
        })
    )  # fmt: skip
    image = Image("sha256:0", "amd64", "linux", {"LD_LIBRARY_PATH": "/opt/lib::/usr/local/nvidia/lib"}, {}, ())
    search = search_of(image, tree)
    assert search.library_path == ("opt/lib", "usr/local/nvidia/lib")
    assert search.defaults[:3] == ("usr/local/cuda/lib64", "lib/x86_64-linux-gnu", "lib")
    assert "not/read" not in search.defaults


def test_python_packages_of_an_image_are_found() -> None:
    site = "usr__lib__python3__site-packages"
    tree = root(
        layer(**{
            f"{site}__onnxruntime_gpu-1.31.1.dist-info__METADATA": b"",
            f"{site}__nvidia__cublas__lib__libcublas_so": b"",
            "opt__venv__torch-2.5.1+cu124.dist-info__RECORD": b"",
        })
    )  # fmt: skip
    packages, preloaded = packages_of(tree)
    assert set(packages) == {Package("onnxruntime-gpu", "1.31.1"), Package("torch", "2.5.1+cu124")}
    assert preloaded == ("usr/lib/python3/site-packages/nvidia/cublas/lib",)
