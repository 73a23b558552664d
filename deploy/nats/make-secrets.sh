#!/bin/sh
# Makes the passwords and the certificate of three NATS servers, and the passwords of those that connect to them:
#
#   sh deploy/nats/make-secrets.sh                                              for compose.yaml
#   sh deploy/nats/make-secrets.sh 10.0.0.1:6222 10.0.0.2:6222 10.0.0.3:6222    for servers on machines
#
# Writes to the folder "secrets" beside this file:
#
#   ca            for nats.conf, and for the trackers: --log-ca <file>
#   certificate   for nats.conf: of all three servers, for the names or addresses above, and for localhost
#   key           for nats.conf: of that certificate
#   tracker       for nats.conf, and for the trackers: --log-credentials <file>
#   admin         for nats.conf, and for a person with the nats tool
#   routes        for nats.conf: the addresses at which the servers reach each other, with a password

set -eu
umask 022
folder=$(dirname -- "$0")/secrets
days=3650
[ $# -gt 0 ] || set -- nats-1:6222 nats-2:6222 nats-3:6222

password() {
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

if ! command -v openssl >/dev/null; then
  echo "error: openssl is not installed; it makes the certificate of the servers" >&2
  exit 1
fi
# The folder keeps others out. Its files are readable by all, since containers run as various users.
if ! mkdir -m 700 -- "$folder" 2>/dev/null; then
  echo "error: cannot make $folder; if it exists, it holds the passwords: remove it to make new ones" >&2
  exit 1
fi
# A part of them would look like all of them.
trap 'rm -rf -- "$folder"; echo "error: no passwords and no certificate were made" >&2' EXIT

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

# What the certificate is for. The servers also show it to each other, at both ends of a route.
names=DNS:localhost,IP:127.0.0.1,IP:::1
for address in "$@"; do
  host=${address%:*}
  host=${host#\[}
  host=${host%\]}
  case $host in
    *:*) names="$names,IP:$host" ;;
    *[!0-9.]*) names="$names,DNS:$host" ;;
    *) names="$names,IP:$host" ;;
  esac
done
cat >"$folder/openssl.cnf" <<END
[req]
distinguished_name = name
prompt = no
[name]
CN = Coterie NATS
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
authorityKeyIdentifier = keyid
subjectAltName = $names
END
for name in ca-key key; do
  openssl ecparam -name prime256v1 -genkey -noout -out "$folder/$name" 2>/dev/null
  chmod 644 -- "$folder/$name"
done
openssl req -config "$folder/openssl.cnf" -x509 -extensions ca -new -sha256 -days $days \
  -key "$folder/ca-key" -out "$folder/ca"
openssl req -config "$folder/openssl.cnf" -new -sha256 -subj "/CN=Coterie NATS server" \
  -key "$folder/key" -out "$folder/request"
openssl x509 -req -in "$folder/request" -sha256 -days $days -set_serial 1 \
  -CA "$folder/ca" -CAkey "$folder/ca-key" -extfile "$folder/openssl.cnf" -extensions server \
  -out "$folder/certificate" 2>"$folder/said" || { cat "$folder/said" >&2; exit 1; }
# Nobody can sign another certificate. For other servers, all are made anew.
rm -- "$folder/ca-key" "$folder/request" "$folder/openssl.cnf" "$folder/said"
trap - EXIT
