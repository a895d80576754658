"""The listeners of a pod: residents and newcomers, each a client through the SDK, and the feed of what they heard."""
