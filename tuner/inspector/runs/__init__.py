"""The opened folder: its runs, their rows in the table, and the processes that diagnose them."""
