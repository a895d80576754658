"""Hearing: what samples of sound say, for listeners through the SDK and for the crowd's reference alike."""
