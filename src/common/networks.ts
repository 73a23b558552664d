// Maps addresses to networks, for counting connections by origin.

/**
 * The network attributed to one person, for a host as `plainHost` gives it: an IPv4 address, or the first 64 bits of an
 * IPv6 address, since a subscriber has all addresses of that prefix (RFC 6177).
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
