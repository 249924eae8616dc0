"""Figures that move: Python computes every state, one small ES module draws them.

The one idea: a figure is a :class:`Story`, a finished list of states, and the page only chooses which one to show. See
:mod:`coursepkg.visualize.alive.story` for the contract, ``alive.js`` for the player, and one file of each language per
kind: ``flip`` (ready pictures), ``graph`` (both passes), ``descent`` (paths on a landscape), ``field`` (a network
learns).
"""
