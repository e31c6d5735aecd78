"""Released ONNX models of the pinned wheels (tests/data/models.lock), and what they can be run on."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import ModelProto

from support import models

SILERO = {"input": (1, 512), "state": (2, 1, 128), "sr": 16000}
RECURRENT = {"input": (3, 576), "h": (1, 1, 128), "c": (1, 1, 128)}
SOUND = {"audio": (1, 4096), "fmin": 50.0, "fmax": 800.0}


class Released(NamedTuple):
    """`inputs`: the shape to draw, or the number to give, by name."""

    package: str
    path: str
    inputs: dict[str, Any]

    def model(self) -> ModelProto:
        return onnx.load(models.model_file(self.package, self.path))

    def given(self, seed: int) -> dict[str, Any]:
        source = np.random.default_rng(seed)
        made: dict[str, Any] = {}
        for name, what in self.inputs.items():
            if isinstance(what, tuple):
                made[name] = source.normal(scale=0.3, size=what).astype(np.float32)
            else:
                made[name] = np.array(what, np.int64 if isinstance(what, int) else np.float32)
        return made


RELEASED: dict[str, Released] = {
    "silero-vad 5.1.2": Released("silero-vad==5.1.2", "silero_vad/data/silero_vad.onnx", SILERO),
    "silero-vad 6.0.0, opset 15": Released("silero-vad==6.0.0", "silero_vad/data/silero_vad_16k_op15.onnx", SILERO),
    "silero-vad 6.2.3, ifless": Released("silero-vad==6.2.3", "silero_vad/data/silero_vad_op18_ifless.onnx", SILERO),
    "silero-vad 6.2.3, sequence": Released(
        "silero-vad==6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx", RECURRENT
    ),
    "silero-vad 6.2.3, openvino": Released(
        "silero-vad==6.2.3", "silero_vad/data/silero_vad_openvino_16k.onnx", {"input": (1, 576), "state": (2, 1, 128)}
    ),
    "faster-whisper 1.1.1, encoder": Released(
        "faster-whisper==1.1.1", "faster_whisper/assets/silero_encoder_v5.onnx", {"input": (2, 576)}
    ),
    "faster-whisper 1.1.1, decoder": Released(
        "faster-whisper==1.1.1",
        "faster_whisper/assets/silero_decoder_v5.onnx",
        {"input": (2, 128), "state": (2, 2, 128)},
    ),
    "faster-whisper 1.2.1": Released("faster-whisper==1.2.1", "faster_whisper/assets/silero_vad_v6.onnx", RECURRENT),
    "swift-f0 0.1.0": Released("swift-f0==0.1.0", "swift_f0/model.onnx", {"input_audio": (1, 4096)}),
    "swift-f0 0.2.0": Released("swift-f0==0.2.0", "swift_f0/model.onnx", SOUND),
    "swift-f0 0.3.0": Released("swift-f0==0.3.0", "swift_f0/model.onnx", SOUND),
    "basic-pitch 0.4.0": Released(
        "basic-pitch==0.4.0",
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        {"serving_default_input_2:0": (1, 43844, 1)},
    ),
    "magika 0.5.1": Released("magika==0.5.1", "magika/models/standard_v1/model.onnx", {"bytes": (1, 1536)}),
    "rapidocr 1.4.4, detector": Released(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        {"x": (1, 3, 64, 96)},
    ),
    "rapidocr 1.4.4, recogniser": Released(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        {"x": (1, 3, 48, 96)},
    ),
    "rapidocr 1.4.4, classifier": Released(
        "rapidocr-onnxruntime==1.4.4",
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        {"x": (1, 3, 48, 192)},
    ),
}

NETS: dict[str, Callable[[], ModelProto]] = {name: released.model for name, released in RELEASED.items()}
