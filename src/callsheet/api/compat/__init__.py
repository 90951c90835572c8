"""The documented wire of Kore.ai Contact Center's campaign API: what its clients send and expect."""
