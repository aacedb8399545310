"""The tests mirror the tree: ``tests/tuner/test_spec.py`` tests ``tuner/spec.py``."""
