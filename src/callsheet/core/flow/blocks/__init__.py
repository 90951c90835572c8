"""The kinds of blocks, a file each: what their config says, what is wrong with one, and what they do."""
