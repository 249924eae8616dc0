"""Chapter 03, gradient descent: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that learners and published code show: walking uphill, sums taken for means, Adam without its
correction or with its counter stuck at one, RPROP that forgets to take the bad step back, clipping that turns.
"""
