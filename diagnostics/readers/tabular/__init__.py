"""Logs of rows: CSV tables and JSON lines."""
