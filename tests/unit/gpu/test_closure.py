"""Which libraries are found where, as ld.so(8) would, and what is left for the machine to provide."""

import pytest
from support.elf import Sym, library

from gitops_model.blob import Blob
from gitops_model.errors import BadFile
from gitops_model.gpu import closure as closure_module
from gitops_model.gpu.closure import Closure, Need, Search, Unmet, close


class Files:
    """A tree in memory that remembers what was asked for."""

    def __init__(self, **files: bytes) -> None:
        self.files = {name.replace("__", "/").replace("_so", ".so"): data for name, data in files.items()}
        self.asked: list[str] = []

    def open(self, path: str) -> Blob | None:
        self.asked.append(path)
        data = self.files.get(path)
        return None if data is None else Blob.of_bytes(path, data)

    def names(self, path: str) -> tuple[str, ...]:
        prefix = f"{path}/" if path else ""
        return tuple(sorted({name[len(prefix) :].split("/")[0] for name in self.files if name.startswith(prefix)}))


def closed(tree: Files, *roots: str, library_path: tuple[str, ...] = (), defaults: tuple[str, ...] = ()) -> Closure:
    return close(tree, roots, Search(library_path, defaults))


def test_what_every_linux_has_is_no_need_of_its_own() -> None:
    base = ("libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libpthread.so.0")
    symbols = (
        Sym("a", "GLIBC_2.9", "libc.so.6"),
        Sym("b", "GLIBC_2.27", "libm.so.6"),
        Sym("c", "GLIBCXX_3.4.22", "libstdc++.so.6"),
        Sym("d", "GLIBC_PRIVATE", "libc.so.6"),
    )
    found = closed(Files(a_so=library("a.so", needed=base, symbols=symbols)), "a.so")
    assert not found.missing
    assert not found.symbols
    assert found.base == {"GLIBC": "2.27", "GLIBCXX": "3.4.22"}
    assert found.machines == ("x86_64",)


def test_what_is_not_in_the_tree_must_come_from_the_machine() -> None:
    symbols = (
        Sym("cublasCreate_v2", "libcublas.so.12", "libcublas.so.12"),
        Sym("deflate", "ZLIB_1.2", "libz.so.1"),
        Sym("cuInit"),
        Sym("cuda_helper"),
        Sym("nvmlInit_v2"),
        Sym("PyLong_FromLong"),
    )
    tree = Files(a_so=library("a.so", needed=("libcublas.so.12", "libz.so.1", "libcuda.so.1"), symbols=symbols))
    found = closed(tree, "a.so")
    assert found.missing == {"libcublas.so.12": "a.so", "libz.so.1": "a.so", "libcuda.so.1": "a.so"}
    assert [str(need) for need in found.symbols] == [
        "cuInit@libcuda.so.1",
        "cublasCreate_v2@libcublas.so.12",
        "deflate@ZLIB_1.2@libz.so.1",
    ]
    assert found.symbols[-1] == Need("deflate", "ZLIB_1.2", "libz.so.1")


def test_libraries_are_followed_breadth_first() -> None:
    tree = Files(
        x__a_so=library("a.so", needed=("b.so", "c.so"), runpath="$ORIGIN"),
        x__b_so=library("b.so", needed=("d.so",), runpath="$ORIGIN/../y"),
        x__c_so=library("c.so", needed=("d.so",)),
        y__d_so=library("d.so", needed=("libcudart.so.12",)),
    )
    found = closed(tree, "x/a.so")
    assert found.found == {"a.so": "x/a.so", "b.so": "x/b.so", "c.so": "x/c.so", "d.so": "y/d.so"}
    assert found.missing == {"libcudart.so.12": "y/d.so"}


@pytest.mark.parametrize(
    "rpath, runpath, first",
    [
        ("p", None, "p"),
        (None, "q", "l"),
        ("p", "q", "l"),
        (None, None, "l"),
    ],
    ids=["RPATH before LD_LIBRARY_PATH", "which is before RUNPATH", "RUNPATH disables RPATH", "and needs neither"],
)
def test_the_search_order_is_the_loaders(rpath: str | None, runpath: str | None, first: str) -> None:
    copy = library("b.so")
    tree = Files(
        a_so=library("a.so", needed=("b.so",), rpath=rpath, runpath=runpath), p__b_so=copy, q__b_so=copy, l__b_so=copy
    )
    assert closed(tree, "a.so", library_path=("l",), defaults=("z",)).found["b.so"] == f"{first}/b.so"


def test_rpath_is_inherited_and_runpath_is_not() -> None:
    middle, last = library("b.so", needed=("c.so",)), library("c.so")
    inherits = Files(a_so=library("a.so", needed=("b.so",), rpath="$ORIGIN/p"), p__b_so=middle, p__c_so=last)
    assert "c.so" in closed(inherits, "a.so").found
    does_not = Files(a_so=library("a.so", needed=("b.so",), runpath="$ORIGIN/p"), p__b_so=middle, p__c_so=last)
    assert closed(does_not, "a.so").missing == {"c.so": "p/b.so"}


def test_default_folders_are_last() -> None:
    tree = Files(a_so=library("a.so", needed=("b.so",)), nvidia__cu13__lib__b_so=library("b.so"))
    assert closed(tree, "a.so", defaults=("nvidia/cu13/lib",)).found["b.so"] == "nvidia/cu13/lib/b.so"


def test_nothing_is_looked_for_outside_the_tree() -> None:
    tree = Files(d__a_so=library("a.so", needed=("b.so", "../../etc/x.so"), runpath="$ORIGIN/../../..:/abs:$ORIGIN/e"))
    closed(tree, "d/a.so")
    assert set(tree.asked) == {"d/a.so", "abs/b.so", "d/e/b.so"}


def test_a_copy_without_the_symbol_is_a_conflict_on_every_machine() -> None:
    """The well-known case: a newer libcusparse beside an older libnvJitLink."""
    want = Sym("__nvJitLinkComplete_12_4", "libnvJitLink.so.12", "libnvJitLink.so.12")
    old = library("libnvJitLink.so.12", symbols=(Sym("__nvJitLinkComplete_12_0", "libnvJitLink.so.12", defined=True),))
    new = library("libnvJitLink.so.12", symbols=(Sym(want.name, "libnvJitLink.so.12", defined=True),))
    sparse = library("s.so", needed=("libnvJitLink.so.12",), runpath="$ORIGIN", symbols=(want,))
    assert closed(Files(s_so=sparse, libnvJitLink_so=b""), "s.so").missing
    tree = Files(s_so=sparse)
    tree.files["libnvJitLink.so.12"] = old
    need = Need("__nvJitLinkComplete_12_4", "libnvJitLink.so.12", "libnvJitLink.so.12")
    assert closed(tree, "s.so").unmet == (Unmet(need, "libnvJitLink.so.12", "s.so"),)
    tree.files["libnvJitLink.so.12"] = new
    assert closed(tree, "s.so").unmet == ()


def test_a_symbol_without_a_version_serves_every_version() -> None:
    want = Sym("f", "V1", "b.so")
    user = library("a.so", needed=("b.so",), runpath="$ORIGIN", symbols=(want,))
    assert closed(Files(a_so=user, b_so=library("b.so", symbols=(Sym("f", defined=True),))), "a.so").unmet == ()
    assert closed(Files(a_so=user, b_so=library("b.so", symbols=(Sym("f", "V2", defined=True),))), "a.so").unmet


def test_a_library_that_cannot_be_read_is_found_but_a_problem() -> None:
    found = closed(Files(a_so=library("a.so", needed=("b.so",), runpath="$ORIGIN"), b_so=b"not ELF"), "a.so")
    assert found.found["b.so"] == "b.so"
    assert [(path, problem.code) for path, problem in found.problems] == [("b.so", "GM009")]


def test_circles_end() -> None:
    tree = Files(
        a_so=library("a.so", needed=("b.so", "a.so"), runpath="$ORIGIN"),
        b_so=library("b.so", needed=("a.so",), runpath="$ORIGIN"),
    )
    assert set(closed(tree, "a.so").found) == {"a.so", "b.so"}


def test_many_folders_times_many_sonames_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closure_module, "MAX_LOOKUPS", 100)
    needed = tuple(f"l{index}.so" for index in range(20))
    tree = Files(a_so=library("a.so", needed=needed, runpath=":".join(f"d{index}" for index in range(20))))
    with pytest.raises(BadFile) as caught:
        closed(tree, "a.so")
    assert caught.value.problem.code == "GM005"
    assert len(tree.asked) <= 101
