"""Light in meshes of interferometers."""
