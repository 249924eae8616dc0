"""What an exercise asks, as its author writes it, and how it becomes a compiled check."""
