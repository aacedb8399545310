"""TensorBoard event files, from records to scalars."""
