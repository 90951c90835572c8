"""Audio: files as people have them become what telephones play."""
