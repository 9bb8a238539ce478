//! Against files that PyTorch, safetensors and Keras wrote (`tests/reference/weights.py` makes them), and their truncations.
