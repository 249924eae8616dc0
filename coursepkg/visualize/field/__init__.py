"""Two classes in the plane, and a network that learns to tell them apart."""
