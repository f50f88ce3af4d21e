"""``python -m surrogate_calculus``: the same as the command ``surrogate``."""

from .cli import main

if __name__ == "__main__":
    main()
