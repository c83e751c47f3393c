"""What the scripts that check an export tell check.ts: the points that hold, or the first that does not."""

import json
from importlib.metadata import version

checked = []


def require(holds, what):
    """Stop where a check does not hold."""
    if not holds:
        raise SystemExit(f"wrong: {what}")


def tell(*packages):
    """Print the points that hold and the versions of the packages that they hold for."""
    print(json.dumps({"versions": {name: version(name) for name in packages}, "checked": checked}))
