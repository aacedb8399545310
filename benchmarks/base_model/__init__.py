"""How the packaged base model was trained."""
