"""``python -m autosynth`` is the command line."""

from autosynth.cli import main

if __name__ == "__main__":
    main()
