"""Logs of containers: `lines` (bytes into lines), `merged` (many logs in the order of time), `ansi` (colours in lines),
`containers` (what a pod says about its containers' logs), `asked` (whose logs and from when), `names` (what they are
called beside each other)."""
