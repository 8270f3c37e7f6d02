"""A small scripted town whose server speaks the real APIs of its sources."""
