"""The commands of the command line, one module each, and what they share: options, streams, progress, exit codes.

A plugin that adds commands takes the shared options from :mod:`autosynth.commands.options`, so that ``--label`` means
the same everywhere.
"""
