"""Voice nodes on other hosts: what they and we tell each other, and how sounds and recordings come and go."""
