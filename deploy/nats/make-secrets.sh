#!/bin/sh
# Makes the passwords of three NATS servers, and of those that connect to them:
#
#   sh deploy/nats/make-secrets.sh                                              for compose.yaml
#   sh deploy/nats/make-secrets.sh 10.0.0.1:6222 10.0.0.2:6222 10.0.0.3:6222    for servers on machines
#
# Writes to the folder "secrets" beside this file:
#
#   tracker   for nats.conf, and for the trackers: --log-credentials <file>
#   admin     for nats.conf, and for a person with the nats tool
#   routes    for nats.conf: the addresses at which the servers reach each other, with a password

set -eu
umask 022
folder=$(dirname -- "$0")/secrets
[ $# -gt 0 ] || set -- nats-1:6222 nats-2:6222 nats-3:6222

password() {
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# The folder keeps others out. Its files are readable by all, since containers run as various users.
if ! mkdir -m 700 -- "$folder" 2>/dev/null; then
  echo "error: cannot make $folder; if it exists, it holds the passwords: remove it to make new ones" >&2
  exit 1
fi
for user in tracker admin; do
  # In quotes: nats-server may read a word that begins with a digit as a number.
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
