"""From one wire to another: a request read into a ``Conversation`` and written again, the reply the other way."""
