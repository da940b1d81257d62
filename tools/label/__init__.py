"""The words of the label on pictures that are made: masks, so that no server needs a font."""
