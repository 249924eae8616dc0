"""Chapter 11, photonic backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of printed formulas: a coupler without its quarter turn, time reversal
taken for reciprocity, a conjugate in the wrong place, powers added where fields add, loss counted once where light
passes twice, decibels of a field taken for those of a power.
"""
