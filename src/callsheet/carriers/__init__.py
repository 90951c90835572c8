"""The mouths for text: one small file per carrier."""
