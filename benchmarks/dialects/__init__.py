"""Logs as the trainers themselves write them: one measured training run in, a file or folder of their format out."""
