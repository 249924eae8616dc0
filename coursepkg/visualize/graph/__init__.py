"""Computational graphs: read from an engine, laid out, drawn, told step by step."""
