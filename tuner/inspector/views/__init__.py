"""The pages. They draw what the modules beside this folder prepared, and prepare nothing themselves."""
