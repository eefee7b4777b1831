"""``python -m screener``: the command line."""

from screener.cli import app

if __name__ == "__main__":
    app()
