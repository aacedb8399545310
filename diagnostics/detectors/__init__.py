"""Detectors: functions of named curves that return evidence or nothing."""
