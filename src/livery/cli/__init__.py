"""The command line: parse, one call of the service, render. Commands hold no decisions."""
