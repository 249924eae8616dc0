"""What every picture is drawn on and with: SVG, letters and numbers, colours, and the way to the page."""
