"""The curve inspector: ``streamlit run app.py -- runs/`` (the same pages as ``tuner inspect runs/``)."""

from tuner.inspector.server import folder_to_show, script_arguments
from tuner.inspector.views.shell import show

show(folder_to_show(arguments=script_arguments(__file__)))
