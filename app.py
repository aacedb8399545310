"""The curve inspector: ``streamlit run app.py -- runs/ [--allow-run]``, the same pages as ``tuner inspect runs/``."""

from tuner.inspector.server import folder_to_show, runs_allowed, script_arguments
from tuner.inspector.views.app import show

given = script_arguments(__file__)
show(folder_to_show(arguments=given), may_run=runs_allowed(arguments=given))
