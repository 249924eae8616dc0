"""Chapter 08, memory-efficient backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of learners and of published code: an estimate that is right on average taken for one that is
always close, rows that are kept but not scaled, a sketch on one side only, a sketch that is stored instead of drawn
again, a minus where the variance has a plus, the forward pass believed to be approximate.
"""
