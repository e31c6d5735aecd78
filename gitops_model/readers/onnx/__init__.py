"""ONNX: ModelProto, read by a bounded walk of its own over protobuf's wire format."""
