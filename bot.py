"""Start the monitoring bot: `python bot.py --help` says how."""

import sys

from monitor.cli import main

if __name__ == "__main__":
    sys.exit(main())
