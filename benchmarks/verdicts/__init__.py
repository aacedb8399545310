"""What ``benchmarks/diagnosis.py`` is made of: labeled runs, scores, folds of sources, rivals' rules, pictures."""
