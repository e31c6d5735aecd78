"""What a checkpoint's pickle may name: the allow-list behind GM603, and what a stream names beyond it.

A name that is not listed is reported, called or not: importing a module runs it. The list holds what torch.save itself
writes (torch/_weights_only_unpickler.py keeps the same kind of list) and NumPy's array builders; none of these can be
made to run anything by its arguments. Everything else is for a person to judge: fail closed.
"""

from gitops_model.errors import Problem
from gitops_model.readers.pickling.machine import Global, Machine

ALLOWED: frozenset[str] = frozenset(
    (
        *("collections.OrderedDict", "collections.defaultdict", "collections.Counter", "collections.deque"),
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in
          ("set", "frozenset", "dict", "list", "tuple", "bytearray", "complex", "slice", "range", "int", "float",
           "bool", "str", "bytes", "object")),
        *("_codecs.encode", "copy_reg._reconstructor", "copyreg._reconstructor", "datetime.datetime"),
        *("datetime.timedelta", "datetime.date", "pathlib.PosixPath", "pathlib.PurePosixPath", "decimal.Decimal"),
        *(f"torch._utils.{name}" for name in
          ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_qtensor",
           "_rebuild_parameter_with_state", "_rebuild_sparse_tensor", "_rebuild_sparse_csr_tensor",
           "_rebuild_meta_tensor_no_storage", "_rebuild_nested_tensor", "_rebuild_device_tensor_from_numpy",
           "_rebuild_device_tensor_from_cpu_tensor", "_rebuild_wrapper_subclass")),
        *("torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type", "torch.Tensor", "torch.Size",
          "torch.device", "torch.serialization._get_layout", "torch.nn.parameter.Parameter", "torch.nn.Parameter",
          "torch.nn.parameter.Buffer", "torch.nn.parameter.UninitializedParameter", "torch.storage.UntypedStorage",
          "torch.storage._UntypedStorage", "torch.storage.TypedStorage", "torch.storage._TypedStorage",
          "torch.UntypedStorage", "torch.TypedStorage", "torch.memory_format", "torch.jit._pickle.restore_type_tag",
          "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_tensorlist", "torch.jit._pickle.build_doublelist",
          "torch.jit._pickle.build_boollist", "torch.jit._pickle.build_tensor_from_id"),
        *(f"{module}.{name}" for module in ("numpy.core.multiarray", "numpy._core.multiarray") for name in
          ("_reconstruct", "scalar")),
        *("numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer", "numpy.ndarray", "numpy.dtype"),
    )
)  # fmt: skip
"""Full names; `torch.FloatStorage` and its kin, dtypes and layouts are recognised by their form."""

MOST = 20
"""Names that are told one by one."""


def is_allowed(name: Global) -> bool:
    if name.path in ALLOWED:
        return True
    if name.module in ("torch", "torch.cuda") and name.name.endswith("Storage") and name.name.isidentifier():
        return True
    if name.module == "torch" and name.name in DTYPE_LIKE:
        return True
    return name.module == "numpy.dtypes" and name.name.endswith("DType")


DTYPE_LIKE = frozenset(
    (
        *("float64", "double", "float32", "float", "float16", "half", "bfloat16", "int64", "long", "int32", "int"),
        *("int16", "short", "int8", "uint8", "uint16", "uint32", "uint64", "bool", "complex32", "complex64"),
        *("complex128", "cfloat", "cdouble", "chalf", "qint8", "quint8", "qint32", "quint4x2", "quint2x4"),
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
        *("float4_e2m1fn_x2", "per_tensor_affine", "per_channel_affine", "per_tensor_symmetric"),
        *("per_channel_symmetric", "per_channel_affine_float_qparams", "strided", "sparse_coo", "sparse_csr"),
        *("sparse_csc", "sparse_bsr", "sparse_bsc", "contiguous_format", "channels_last", "channels_last_3d"),
        *("preserve_format", "bits8", "bits16"),
    )
)


def outside(machine: Machine, where: str = "", *, script: bool = False) -> list[Problem]:
    """GM603 for each name beyond the list, once, at its first place; and for calls of what is no name at all.

    `script`: in a TorchScript archive names below `__torch__` are its own classes, built by torch without Python.
    """
    called = {function.path for function, _ in machine.calls if isinstance(function, Global)}
    found: dict[str, Problem] = {}
    for name in machine.globals:
        if name.path in found or is_allowed(name) or (script and name.module.startswith("__torch__")):
            continue
        verb = "call" if name.path in called else "import"
        found[name.path] = problem(f"{verb} {name.path}", name.position, where)
    for function, position in machine.calls:
        if not isinstance(function, Global):
            found.setdefault("?", problem("call something that the stream itself makes", position, where))
    problems = list(found.values())
    if len(problems) > MOST:
        more = len(problems) - MOST
        problems[MOST:] = [Problem("GM603", f"loading this pickle would import or call {more} more names")]
    return problems


def problem(what: str, position: int, where: str) -> Problem:
    place = f" of {where}" if where else ""
    return Problem(
        "GM603",
        f"loading this pickle would {what} (byte {position}{place}), which no checkpoint needs",
        found=what.partition(" ")[2],
        hint="gitops-model explain GM603",
    )
