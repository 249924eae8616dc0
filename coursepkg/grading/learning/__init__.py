"""What a learner meets in a notebook: check, hint, progress and review, and their own record."""
