"""The curve inspector: ``streamlit run app.py -- runs/ [--allow-run]``, the same pages as ``tuner inspect runs/``.

Only the latter checks where requests come from; see SECURITY.md.
"""

from tuner.inspector.access import announce_token
from tuner.inspector.server import folder_to_show, runs_allowed, script_arguments
from tuner.inspector.views.app import show

given = script_arguments(__file__)
may_run = runs_allowed(arguments=given)
if may_run:
    announce_token()
show(folder_to_show(arguments=given), may_run=may_run)
