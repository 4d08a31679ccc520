"""``python -m qsec_jupyter.cli`` is the same as ``qsec``."""

from .main import main

if __name__ == "__main__":
    main()
