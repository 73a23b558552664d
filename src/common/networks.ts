// Networks of addresses, for counting who comes from where.

/**
 * The network that one person is thought to have, of a host as `plainHost` gives it: an IPv4 address, or of an
 * IPv6 address its first 64 bits, since a subscriber has all addresses behind those (RFC 6177).
 */
export function networkOf(host: string): string {
  if (!host.includes(':')) return host
  const [address = ''] = host.split('%')
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  const groups = [...first, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...last]
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
