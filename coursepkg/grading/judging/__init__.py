"""From an answer to a verdict: calling it, comparing numbers, recognising wrong ideas, saying so."""
