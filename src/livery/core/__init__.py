"""The pure core: values and functions, no clock, files, environment, network. Read :mod:`livery.core.resolve` first."""
