"""safetensors: a strict JSON header and the bytes of the tensors."""
