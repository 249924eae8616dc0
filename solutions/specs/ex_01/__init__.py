"""What the exercises of chapter 01 ask, which answers are right, and which wrong ideas are known.

The one idea of the chapter: a derivative is an exchange rate. Rates multiply along a chain, add over paths, pass a
minimum through the scarcest ingredient alone, and hold only where they are measured.
"""
