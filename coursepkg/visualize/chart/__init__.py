"""Ordinary charts in the course's style, most by Matplotlib: each is a picture that says its numbers in words."""
