"""Archive: what listeners told and what became of runs, kept for longer than rooms, pods and resources are."""
