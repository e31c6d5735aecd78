"""File name endings of models, from the FORMATS table. Written by docs/generate.py; do not edit."""

SUFFIXES = (
    b".ckpt",
    b".gguf",
    b".h5",
    b".hdf5",
    b".jit",
    b".keras",
    b".lite",
    b".npy",
    b".npz",
    b".onnx",
    b".pt",
    b".pth",
    b".pth.tar",
    b".safetensors",
    b".tflite",
    b"adapter_model.bin",
    b"pytorch_model.bin",
    b"saved_model.pb",
)
