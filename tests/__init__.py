"""The tests mirror the tree: ``tests/tuner/test_batch.py`` tests ``tuner/batch.py``."""
