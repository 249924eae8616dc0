"""Neural trees."""
