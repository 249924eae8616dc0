"""Chapter 07, recurrent networks: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: only the last use of a shared weight counts, the state
after a step taken for the one before it, a chunk that starts again from zero, the largest eigenvalue taken for the
largest stretch, entries clipped one by one, a road through the cell that forgets the hidden state.
"""
