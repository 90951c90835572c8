"""The counter: the documented wire, our own resources, carrier callbacks, live updates."""
