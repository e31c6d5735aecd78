"""File name endings of models, from the FORMATS table. Written by docs/generate.py; do not edit."""

SUFFIXES = (
    b".ckpt",
    b".gguf",
    b".jit",
    b".lite",
    b".npy",
    b".npz",
    b".onnx",
    b".pt",
    b".pth",
    b".pth.tar",
    b".safetensors",
    b".tflite",
)
