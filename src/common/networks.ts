// Maps addresses to networks, for counting connections by origin.

/**
 * The network attributed to one person, for a host as `plainHost` gives it: an IPv4 address, or the first 64 bits of an
 * IPv6 address, since a subscriber has all addresses of that prefix (RFC 6177).
 */
export function networkOf(host: string): string {
  return host.includes(':') ? prefixOf(host, 4) : host
}

/**
 * The networks that one subscriber may have, for a host likewise: an IPv4 address, or the first 48 bits of an IPv6
 * address. Whoever is given so many has 65,536 networks.
 */
export function siteOf(host: string): string {
  return host.includes(':') ? prefixOf(host, 3) : host
}

export function isLoopback(host: string): boolean {
  const ip = plainHost(host)
  // A name can begin with 127 too.
  return ip === '::1' || /^127(\.\d{1,3}){3}$/.test(ip)
}

/** Whether an address belongs to somebody's own network, and to nobody's in the Internet (RFC 1918, RFC 4193). */
export function isPrivate(host: string): boolean {
  const ip = plainHost(host).toLowerCase()
  if (ip.includes(':')) return /^f[cd][0-9a-f]{2}:/.test(ip)
  return /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(ip)
}

/** Plain IPv4 for an address that a dual-stack socket reports as `::ffff:1.2.3.4`; any other host as it is. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host
}

/** The first groups of 16 bits of an IPv6 address. */
function prefixOf(host: string, groupCount: number): string {
  const [address = ''] = host.split('%')
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  const groups = [...first, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...last]
  const prefix = groups.slice(0, groupCount).map((group) => parseInt(group, 16).toString(16))
  return `${prefix.join(':')}::/${16 * groupCount}`
}
