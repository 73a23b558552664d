#!/bin/sh
# Starts the @PROGRAM@ of Coterie with the Node that the package brings.

# A file of its memory would have keys, and passwords that were typed.
ulimit -c 0 2>/dev/null

# Node forgets that nohup had hang-ups ignored, so it is told. What is ignored from the start cannot be trapped.
hangup=--ignore-hangup
trap 'hangup=' HUP
kill -HUP $$
trap - HUP
exec @LIBRARY@/node @LIBRARY@/scripts/launch.mjs $hangup @PROGRAM@ "$@"
