"""The charts of a run: what they show as data, and how that becomes SVG."""
