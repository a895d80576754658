"""The crowd's hand: Jobs of pods that flood or storm, and their gates."""
