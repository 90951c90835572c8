"""Files of contacts and of DNC numbers on their way in: spooled, read in a process of their own, stored in blocks."""
