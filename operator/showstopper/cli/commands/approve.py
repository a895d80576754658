"""`showstopper approve`: approve an act of a game day. The same as `showstopper gameday approve`."""

from showstopper.cli.commands.game_day import approve

command = approve
