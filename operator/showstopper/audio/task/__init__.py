"""Tasks: what every program does that a Job of the crowd runs. It needs neither the SDK nor numpy nor a model."""
