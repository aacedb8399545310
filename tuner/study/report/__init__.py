"""The report of a study: data first, then Markdown and HTML."""
