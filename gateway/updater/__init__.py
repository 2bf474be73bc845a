"""The updater on the box: takes a signed release in, and back out when it is worse than the last.

It lives outside the releases (/usr/local/lib/bikebox-updater), needs nothing but Python's standard
library, and survives its caller, a pulled plug and its own death: whatever stops it wherever, the
box runs a complete release, and running it again goes on from there.
"""
