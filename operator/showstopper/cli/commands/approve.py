"""`showstopper approve`: let a held act of a game day begin; the same as `showstopper gameday approve`."""

from showstopper.cli.commands.game_day import approve

command = approve
