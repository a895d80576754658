"""The agents' hand: Injections and what agents answer."""
