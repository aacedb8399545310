"""The curve inspector: ``streamlit run app.py -- runs/ [--allow-run]``, the same server as ``tuner inspect runs/``."""

from streamlit.starlette import App

from tuner.inspector.server import folder_to_show, guarded_pages, runs_allowed, script_arguments

given = script_arguments(__file__)
app = App(**guarded_pages(folder_to_show(arguments=given), runs_allowed(arguments=given)))
