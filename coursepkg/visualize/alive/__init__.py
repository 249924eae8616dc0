"""Figures that move: Python computes every state, one small ES module draws them.

The one idea: a figure is a :class:`Story`, a finished list of states, and the page only chooses which one to show. See
``story.py`` for the contract, ``alive.js`` for the player, and one JavaScript file for each kind. What a story tells is
computed in the room of its subject; ``flip.py`` makes one of ready pictures.
"""
