"""A plugin to start from: an installable repository with a working generator or working checks, and their tests.

``autosynth new-plugin`` writes it.  The files are the templates of this folder, filled with the plugin's name.
"""
