"""The routes, a module for each noun: read the parameters, make one answer, send it."""
