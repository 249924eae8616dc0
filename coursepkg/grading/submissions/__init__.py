"""Work as it was handed in: folders and zips, whose they are, and the notebooks in them."""
