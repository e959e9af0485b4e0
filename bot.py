"""Start the monitoring bot: `python bot.py --help` says how."""

import sys

if __name__ == "__main__":
    try:
        from monitor.cli import main  # here, so that Ctrl-C while it loads shows no trace

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
