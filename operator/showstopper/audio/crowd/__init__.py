"""The crowd: many cheap listeners in one process, which count packets and decode nothing."""
