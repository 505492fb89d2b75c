"""Pages: reports as one HTML file each, that opens offline, on a phone and in print.

``page.py`` puts sections together; ``elements.py``, ``table.py`` and ``figure.py`` make their parts, with every value
escaped; one module per section turns plain data into parts.  No page holds a script.
"""
