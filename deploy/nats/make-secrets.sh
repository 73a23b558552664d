#!/bin/sh
# Makes the passwords of three NATS servers and of what connects to them:
#
#   sh deploy/nats/make-secrets.sh                                              for compose.yaml
#   sh deploy/nats/make-secrets.sh 10.0.0.1:6222 10.0.0.2:6222 10.0.0.3:6222    for servers on machines
#
# Writes, into the folder "secrets" beside this file:
#
#   tracker   for nats.conf, and for the trackers: --log-credentials <file>
#   admin     for nats.conf, and for a person with the nats tool
#   routes    for nats.conf: how the servers know each other

set -eu
umask 022
folder=$(dirname -- "$0")/secrets
[ $# -gt 0 ] || set -- nats-1:6222 nats-2:6222 nats-3:6222

password() {
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# The folder keeps others out. The files in it can be read by whoever a container runs as.
if ! mkdir -m 700 -- "$folder" 2>/dev/null; then
  echo "error: cannot make $folder; if it is there, the passwords are made: remove it to make others" >&2
  exit 1
fi
for user in tracker admin; do
  # In quotes: what begins with a digit may look like a number to nats-server.
  printf 'user: "%s"\npassword: "%s"\n' "$user" "$(password)" >"$folder/$user"
done
route=$(password)
{
  printf 'authorization { user: "route", password: "%s" }\nroutes: [\n' "$route"
  for address in "$@"; do
    printf '  "nats://route:%s@%s"\n' "$route" "$address"
  done
  printf ']\n'
} >"$folder/routes"
