"""What the project claims about speed, accuracy and search; each script prints its figures anew."""
