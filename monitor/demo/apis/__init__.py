"""The town's sources as their real APIs: a request in, an answer out, with the town's moment as an argument."""
