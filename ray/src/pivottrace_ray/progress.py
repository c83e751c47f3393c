"""What the job tells, one line at a time: ``PIVOTTRACE {"event": ...}`` on standard output, read by src/cluster."""

from __future__ import annotations

import json

PREFIX = "PIVOTTRACE "


def tell(event: str, **facts: object) -> None:
    """Print one event; other lines of the log are for people."""
    print(f"{PREFIX}{json.dumps({'event': event, **facts})}", flush=True)
