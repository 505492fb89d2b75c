"""The commands of the command line, one module each, and what they share: options, settings, previews, streams.

A plugin that adds commands takes the shared options from :mod:`autosynth.commands.options`, so that ``--label`` means
the same everywhere, and gives them examples with :func:`autosynth.commands.examples.examples`.
"""
