"""Written manifests are read back the same, by this loader and by a common one."""

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from gitops_model.blob import Blob
from gitops_model.ir import Dim, TensorType, Value
from gitops_model.manifest import load, write
from gitops_model.manifest.paths import trouble
from gitops_model.pipeline.init_manifest import declaration, name_of, usable

HEX = "0" * 64
NAMES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["on", "null", "~", "1", "1.10", "<<", "a: b", "# c", "- x", "é\u202e", "=", ""]),
)
DIMS = st.lists(st.one_of(st.integers(0, 2**63 - 1), st.none(), NAMES), max_size=4)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_scalar_is_the_same_text_to_a_common_loader(text: str) -> None:
    assert yaml.safe_load(write.scalar(text)) == text


@given(NAMES.filter(lambda path: trouble(path) is None), st.dictionaries(NAMES, DIMS, max_size=4))
def test_a_manifest_is_read_back(path: str, values: dict[str, list[Dim]]) -> None:
    typed = {name: TensorType("float32", tuple(dims)) for name, dims in values.items()}
    text = write.manifest(
        name=name_of(path),
        version="0.1.0",
        architecture=["amd64"],
        checksums={path: {"sha256": HEX}},
        inputs={name: declaration(Value(name, kind)) for name, kind in typed.items()},
        outputs=None,
    )
    assume("\\ud" not in text)  # lone surrogates stand for bytes that are no UTF-8: `init` refuses such names
    manifest, problems = load(Blob.of_bytes("model.yaml", text.encode()))
    assert problems == ()
    assert manifest is not None
    assert list(manifest.checksums) == [path]
    assert manifest.inputs is not None
    assert {value.name: value.shape for value in manifest.inputs} == {
        name: tuple(dim if usable(dim) else None for dim in dims) for name, dims in values.items()
    }
    assert set(yaml.safe_load(text)["inputs"] or {}) == set(values)
