"""Tools that write the same model in another way, or with fewer bits: `EXACT` and `LOSSY`, by name.

Each takes a model and a scratch folder, and returns the rewritten model. Raises whatever the tool raises.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

Tool = Callable[[ModelProto, Path], ModelProto]


def copied(model: ModelProto) -> ModelProto:
    made = ModelProto()
    made.CopyFrom(model)
    return made


def onnxsim(model: ModelProto, _: Path) -> ModelProto:
    import onnxsim

    return onnxsim.simplify(copied(model))[0]


def onnxslim(model: ModelProto, _: Path) -> ModelProto:
    import onnxslim

    return onnxslim.slim(copied(model))


def onnxoptimizer(model: ModelProto, _: Path) -> ModelProto:
    import onnxoptimizer

    return onnxoptimizer.optimize(copied(model))


def inliner(model: ModelProto, _: Path) -> ModelProto:
    from onnx import inliner

    return inliner.inline_local_functions(copied(model))


def opset(version: int) -> Tool:
    def convert(model: ModelProto, _: Path) -> ModelProto:
        from onnx import version_converter

        return version_converter.convert_version(copied(model), version)

    return convert


def onnxruntime(level: str) -> Tool:
    """ONNX Runtime's own optimiser, as it writes its result."""

    def optimise(model: ModelProto, folder: Path) -> ModelProto:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
        options.optimized_model_filepath = str(folder / "optimised.onnx")
        options.log_severity_level = 4
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(folder / "optimised.onnx")

    return optimise


def ir_passes(model: ModelProto, _: Path) -> ModelProto:
    """onnxscript's optimiser, which torch's exporter runs."""
    import onnxscript.optimizer

    return onnxscript.optimizer.optimize(copied(model))


def external(model: ModelProto, folder: Path) -> ModelProto:
    """Out to a file and back."""
    path = folder / "external.onnx"
    onnx.save(copied(model), path, save_as_external_data=True, location="external.bin", size_threshold=0)
    return onnx.load(path)


# --- fewer bits ------------------------------------------------------------------------------------------------------
def float16(model: ModelProto, _: Path) -> ModelProto:
    from onnxconverter_common import float16

    return float16.convert_float_to_float16(copied(model), keep_io_types=True, disable_shape_infer=False)


def dynamic(model: ModelProto, folder: Path) -> ModelProto:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    onnx.save(model, folder / "in.onnx")
    quantize_dynamic(folder / "in.onnx", folder / "dynamic.onnx", weight_type=QuantType.QInt8)
    return onnx.load(folder / "dynamic.onnx")


def static(form: str) -> Tool:
    def quantise(model: ModelProto, folder: Path) -> ModelProto:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

        from support.referee import inputs

        class Reader(CalibrationDataReader):
            def __init__(self) -> None:
                self.left = [inputs(model, 3 * seed) for seed in range(3)]

            def get_next(self) -> Any:
                return self.left.pop() if self.left else None

        onnx.save(model, folder / "in.onnx")
        quantize_static(
            folder / "in.onnx", folder / "static.onnx", Reader(), quant_format=getattr(QuantFormat, form),
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return onnx.load(folder / "static.onnx")

    return quantise


EXACT: dict[str, Tool] = {
    "onnxsim": onnxsim,
    "onnxslim": onnxslim,
    "onnxoptimizer": onnxoptimizer,
    "onnxscript optimizer": ir_passes,
    "onnxruntime basic": onnxruntime("BASIC"),
    "onnxruntime extended": onnxruntime("EXTENDED"),
    "onnxruntime all": onnxruntime("ALL"),
    "version_converter 18": opset(18),
    "version_converter 21": opset(21),
    "version_converter 15": opset(15),
    "inliner": inliner,
    "external data": external,
}

LOSSY: dict[str, tuple[str, Tool]] = {
    "float16 converter": ("fp16", float16),
    "quantize_dynamic": ("dynamic-quantization", dynamic),
    "quantize_static QDQ": ("qdq", static("QDQ")),
    "quantize_static QOperator": ("qoperator", static("QOperator")),
}
