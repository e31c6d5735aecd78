"""PyTorch checkpoints and TorchScript archives."""
