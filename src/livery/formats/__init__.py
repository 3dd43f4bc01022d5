"""Text and documents, still pure: one port per format, each with a place for every fault.

Nothing here opens a file; :mod:`livery.stores` reads and writes them.
"""
