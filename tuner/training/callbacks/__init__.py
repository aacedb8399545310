"""The callbacks of a training run: stopping, TensorBoard, exact match."""
