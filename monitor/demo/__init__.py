"""The demo town: a scripted fortnight around an invented web shop, served over the real APIs of its sources."""
