"""GGUF models of llama.cpp and its kin."""
