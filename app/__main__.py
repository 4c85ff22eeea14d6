"""``python -m app`` is the same as the console script ``customer-health``."""

from app.cli import main

if __name__ == "__main__":
    main()
