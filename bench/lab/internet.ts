// A small internet in namespaces: a public server, and members at homes and offices, each behind a router that translates
// addresses (nftables). Every line to a router can have a delay and losses.

import { spawnSync } from 'node:child_process'
import { Namespaces } from '../../test/namespaces.ts'
import { Line, type Conditions } from './line.ts'

/** The one port that the office lets out, so that is where the tracker listens. */
export const trackerPort = 443
export const trackerHost = '203.0.113.2'
/** Where all members listen, as by default. */
export const memberPort = 4444

export interface Member {
  readonly name: string
  /** Of its machine; two homes may use the same. */
  readonly host: string
}

export interface Site {
  readonly name: string
  /** What it is, for people. */
  readonly what: string
  /** Of its router, as the internet sees it. */
  readonly publicHost: string
  readonly members: readonly Member[]
  /** How the router chooses the port by which it replaces one of its own side. */
  readonly masquerade: '' | 'random,fully-random'
  /** What it lets out; all else it drops. */
  readonly letsOut: string
  /** The member whose port is forwarded. */
  readonly forwardsTo?: string
}

const innerHost = '192.168.1.1'

function home(name: string, what: string, last: number, others: Partial<Site> = {}): Site {
  const members = [{ name, host: '192.168.1.10' }]
  return { name, what, publicHost: `203.0.113.${last}`, members, masquerade: '', letsOut: '', ...others }
}

/** Linux keeps the port where it is free, and lets in only what was asked for: that is a port-restricted home. */
export const sites: readonly Site[] = [
  home('home1', 'a home behind a port-restricted NAT', 11),
  home('home2', 'another one', 12),
  home('symmetric', 'a home behind a symmetric NAT', 13, { masquerade: 'random,fully-random' }),
  home('office', 'an office that lets out TCP port 443 alone', 14, { letsOut: 'tcp dport 443' }),
  home('forwarding', 'a home that forwards the port', 15, { forwardsTo: '192.168.1.10' }),
  home('lan', 'two members behind one port-restricted NAT', 16, {
    members: [
      { name: 'lan1', host: '192.168.1.10' },
      { name: 'lan2', host: '192.168.1.11' },
    ],
  }),
]

/**
 * What the router of a site does. What it did not ask for it drops, as routers at home do: an answer (RST) would end an
 * attempt to connect from both sides. Where the machine filters what passes a bridge, so does the router: that is let through.
 */
export function rulesOf({ masquerade, letsOut, forwardsTo }: Site): string {
  const forwarded = `iifname "outside" tcp dport ${memberPort} dnat to ${forwardsTo}:${memberPort}`
  return `table ip router {
    chain leaving { type nat hook postrouting priority srcnat; oifname "outside" masquerade ${masquerade}; }
    chain entering { type nat hook prerouting priority dstnat; ${forwardsTo === undefined ? '' : forwarded}; }
    chain passing {
      type filter hook forward priority filter; policy drop;
      ct state established,related accept
      ct status dnat accept
      iifname "inside" oifname "outside" ${letsOut} accept
      iifname "inside" oifname "inside" accept
    }
    chain own {
      type filter hook input priority filter; policy drop;
      iifname "inside" ip daddr ${innerHost} accept
      ct state established,related accept
    }
  }`
}

export interface InternetOptions {
  /** Those that are needed. */
  readonly sites: readonly Site[]
  /** The program that makes lines long, and how long; without it they are as short as can be. */
  readonly line?: { readonly program: string; readonly conditions: Conditions } | undefined
}

export class Internet {
  readonly #spaces = new Namespaces()
  readonly #lines: Line[] = []
  readonly #options: InternetOptions

  private constructor(options: InternetOptions) {
    this.#options = options
  }

  /** Rejects, with nothing left behind, where it cannot be made. */
  static async open(options: InternetOptions): Promise<Internet> {
    const internet = new Internet(options)
    try {
      await internet.#make()
      return internet
    } catch (error) {
      await internet.close()
      throw error
    }
  }

  /** Put before a command, runs it where this member is, or the `tracker`. */
  at(machine: string): string[] {
    return this.#spaces.at(machine)
  }

  /** Bytes that a member's machine, or the one of the `tracker`, has sent and received so far, the heads of packets included. */
  bytesAt(machine: string): { readonly sent: number; readonly received: number } {
    const [command, ...words] = [...this.at(machine), 'cat', '/proc/net/dev']
    const { stdout } = spawnSync(command, words, { encoding: 'utf8' })
    const counts = /^\s*(?:tracker|eth0):\s*(.*)$/m.exec(stdout)?.[1]?.split(/\s+/) ?? []
    return { sent: Number(counts[8] ?? Number.NaN), received: Number(counts[0] ?? Number.NaN) }
  }

  /** Lets nothing pass between two sites, until the result is called. */
  cut(one: string, other: string): () => void {
    const [a, b] = [one, other].map((name) => sites.find((site) => site.name === name)?.publicHost)
    this.#nft(
      'internet',
      `table ip cut {
        chain passing {
          type filter hook forward priority filter;
          ip saddr ${a} ip daddr ${b} drop
          ip saddr ${b} ip daddr ${a} drop
        }
      }`,
    )
    return () => this.#nft('internet', 'delete table ip cut')
  }

  /** Gives a member's machine one more address in the network of its site, as when it plugs in a cable beside its wireless. */
  addAddress(member: string, host: string): void {
    this.#spaces.ip(member, 'addr', 'add', `${host}/24`, 'dev', 'eth0')
  }

  async close(): Promise<void> {
    for (const line of this.#lines.splice(0)) await line.close()
    this.#spaces.close()
  }

  async #make(): Promise<void> {
    const spaces = this.#spaces
    spaces.add('internet')
    this.#forwards('internet')
    spaces.add('tracker')
    await this.#lineTo('tracker', 'tracker', trackerHost)
    for (const site of this.#options.sites) await this.#makeSite(site)
  }

  async #makeSite(site: Site): Promise<void> {
    const spaces = this.#spaces
    const router = `${site.name}-router`
    spaces.add(router)
    this.#forwards(router)
    await this.#lineTo(router, site.name, site.publicHost)
    spaces.ip(router, 'link', 'set', site.name, 'down')
    spaces.ip(router, 'link', 'set', site.name, 'name', 'outside')
    spaces.ip(router, 'link', 'set', 'outside', 'up')
    spaces.ip(router, 'route', 'add', 'default', 'dev', 'outside')
    spaces.ip(router, 'link', 'add', 'inside', 'type', 'bridge')
    spaces.ip(router, 'link', 'set', 'inside', 'up')
    spaces.ip(router, 'addr', 'add', `${innerHost}/24`, 'dev', 'inside')
    for (const { name, host } of site.members) {
      spaces.add(name)
      spaces.plug([router, name], [name, 'eth0'])
      spaces.ip(router, 'link', 'set', name, 'master', 'inside')
      spaces.ip(name, 'addr', 'add', `${host}/24`, 'dev', 'eth0')
      spaces.ip(name, 'route', 'add', 'default', 'via', innerHost)
    }
    this.#nft(router, rulesOf(site))
  }

  #nft(machine: string, input: string): void {
    const [command, ...words] = [...this.at(machine), 'nft', '-f', '-']
    const { status, stderr } = spawnSync(command, words, { input, encoding: 'utf8' })
    if (status !== 0) throw new Error(`nft: ${stderr.trim()}`)
  }

  /** Connects a machine that has this address to the internet, by a device of this name at both ends. */
  async #lineTo(machine: string, device: string, host: string): Promise<void> {
    const spaces = this.#spaces
    const { line } = this.#options
    if (line === undefined) {
      spaces.plug(['internet', device], [machine, device])
      // The internet answers for whoever is asked for, and at once.
      spaces.set('internet', `net.ipv4.conf.${device}.proxy_arp=1`)
      spaces.set('internet', `net.ipv4.neigh.${device}.proxy_delay=0`)
    } else {
      const opened = await Line.open(
        line.program,
        spaces,
        ['internet', machine],
        device,
        this.#lines.length + 1,
      )
      this.#lines.push(opened)
      await opened.become(line.conditions)
    }
    spaces.ip('internet', 'route', 'add', host, 'dev', device)
    spaces.ip(machine, 'addr', 'add', `${host}/32`, 'dev', device)
    spaces.ip(machine, 'route', 'add', 'default', 'dev', device)
  }

  #forwards(machine: string): void {
    this.#spaces.set(machine, 'net.ipv4.ip_forward=1')
  }
}
