"""kopf handlers: they parse and hand over."""
