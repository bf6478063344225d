"""Time as text and back: RFC 3339 as Kubernetes writes it, ages as kubectl prints them."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 31_536_000


def seconds(text: str | None) -> float | None:
    """Seconds since the epoch of an RFC 3339 time; None when the text is empty or no time."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        # Kubernetes always writes a zone; a time without one would silently mean this machine's zone.
        return moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def rfc3339(moment: float) -> str:
    """`2026-11-22T09:00:00Z` of seconds since the epoch, whole seconds."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def age(elapsed: float) -> str:
    """A duration in seconds in at most two units, by the rules of kubectl's AGE column; "0s" when negative."""
    total = max(0, int(elapsed))
    minutes, hours, days = total // MINUTE, total // HOUR, total // DAY
    if total < 2 * MINUTE:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % MINUTE, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 2 * 365:
        return f"{days}d"
    if days < 8 * 365:
        return _two(total // YEAR, "y", days % 365, "d")
    return f"{total // YEAR}y"


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
