"""The line, a module a step: store in, store out; no stage calls another."""
