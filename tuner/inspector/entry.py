"""The script that ``tuner inspect`` hands to Streamlit."""

from tuner.inspector.server import folder_to_show, runs_allowed
from tuner.inspector.views.app import show

show(folder_to_show(), may_run=runs_allowed())
