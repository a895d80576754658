"""Tables of the command line: without borders, as kubectl has them; what is too long for a column is folded."""

from rich.table import Table


def of(*titles: str) -> Table:
    """A table with these columns, and no rows yet."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
