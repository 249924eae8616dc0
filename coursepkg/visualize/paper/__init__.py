"""What every picture is drawn on and with: SVG, letters and numbers, colours, and the way to the page."""

# ruff: noqa: F401, F403 - this file only hands names on
from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.figure import LETTERS, as_picture, key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead, page
from coursepkg.visualize.paper.plane import Pair, Plane, pairs
from coursepkg.visualize.paper.style import *
from coursepkg.visualize.paper.svg import Point
from coursepkg.visualize.paper.text import *
