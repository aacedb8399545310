"""What programs print: one file for each kind of line, and ``log``, which tries them on a file."""
