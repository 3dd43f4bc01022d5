"""``python -m livery``: the command line."""

from livery.cli.main import main

if __name__ == "__main__":
    main()
