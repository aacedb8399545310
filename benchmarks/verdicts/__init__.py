"""What ``benchmarks/diagnosis.py`` is made of: labelled runs, scores, folds of sources, rivals' rules, pictures."""
