"""The entries of the table, one module per kind of operation."""
