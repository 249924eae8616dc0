"""Ordinary charts, drawn by Matplotlib in the course's style: each is a picture that says its numbers in words."""
