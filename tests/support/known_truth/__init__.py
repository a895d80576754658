"""Runs whose right verdict is known before they begin: scenarios on the staged room, generated from a seed."""
