// Parses the command line of `./client`. Pure, apart from the file reader passed in.

import { Command, CommanderError, Option } from 'commander'
import type { Address } from '../common/addresses.ts'
import { checkedAddress, parseAddress, parseAdvertised } from '../common/addresses.ts'
import { Failure } from '../common/failure.ts'
import { parsePort } from '../common/port-option.ts'
import { readTrackerInfo, type ListedTracker } from '../common/tracker-info.ts'
import { nameOf } from '../common/started-as.ts'
import { version } from '../common/version.ts'
import { encryptionOf, type Encryption } from '../common/wire/protection.ts'
import { parseRate } from '../common/rates.ts'
import type { ScriptPart } from './script.ts'

export interface ClientArguments {
  /** Port 0 takes any free port. */
  readonly listen: Address
  /** Where others shall reach this client; port 0 stands for the one that it listens on. */
  readonly advertise?: Address | undefined
  /** In the order to try them; at least one. */
  readonly trackers: readonly ListedTracker[]
  readonly dataFolder?: string
  readonly linger: boolean
  /** In the order in which they stand there; empty for what standard input says. */
  readonly script: readonly ScriptPart[]
  readonly isJson: boolean
  /** Undefined for the usual: a script on the command line stops, standard input goes on. */
  readonly stopsAtError?: boolean | undefined
  readonly passwordFile?: string | undefined
  /** Bytes per second; undefined means no limit. */
  readonly uploadLimit?: number
  readonly downloadLimit?: number
  /** Whether a router is to forward the port. */
  readonly mapsPort: boolean
  /** On this port of 127.0.0.1; undefined for nothing. */
  readonly metricsPort?: number | undefined
  /** Where to serve the page, on this port of 127.0.0.1; 0 for any free one, undefined for no page. */
  readonly webPort?: number | undefined
  /** Where files go that are dropped into the page. */
  readonly dropFolder?: string | undefined
  /** Where guests are served; port 0 takes any free one, undefined serves none. */
  readonly guests?: Address | undefined
  /** A file with the certificate that guests are shown, and its key. */
  readonly guestCertificate?: string | undefined
  /** Where to write what becomes of links for guests. */
  readonly auditFile?: string | undefined
  /** What to forward for others; undefined for nothing. */
  readonly relay?: { readonly bytesPerSecond: number | undefined } | undefined
  readonly encryption: Encryption
}

/** What to do: run with these arguments, or print a text (help, version) and exit 0. */
export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: ClientArguments }
  | { readonly kind: 'text'; readonly text: string }

interface Options {
  advertise?: Address
  dataDir?: string
  linger?: boolean
  json?: boolean
  keepGoing?: boolean
  stopAtError?: boolean
  passwordFile?: string
  uploadLimit?: string
  downloadLimit?: string
  mapPort?: boolean
  metrics?: number
  web?: number
  dropFolder?: string
  guests?: Address
  guestCert?: string
  audit?: string
  relay?: string
  tls?: boolean
  insecurePlain?: boolean
}

const defaultTrackerFile = 'tracker_info.txt'

/** `command`: what is typed to start the client. */
const explanationFor = (command: string): string => `
The listening address is where other members fetch pieces from this client;
port 0 takes any free port. A file lists the trackers, one ip:port a line; it is
${defaultTrackerFile} in the current folder, if no other is named.

  ${command} 127.0.0.1:4444 ${defaultTrackerFile}
  ${command} 127.0.0.1:4444
  ${command} 127.0.0.1 3000 127.0.0.1 8000     listening ip, port, tracker ip, port

Rates are bytes a second: 512K, 4M, none. Once it runs, "help" lists the
commands. Commands can be piped in too, one a line; the client then exits with
0 if all went well, else with a code that says what failed first.`

/**
 * `command`: what is typed to start the client, for texts. Throws a `usage` failure, one sentence, for invalid
 * arguments.
 */
export function parseArguments(
  argv: readonly string[],
  readFile: (path: string) => string,
  command = './client',
): ParsedArguments {
  let text = ''
  const script: ScriptPart[] = []
  const program = clientProgram((written) => (text += written), script, command)
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return { kind: 'text', text }
    if (error instanceof CommanderError) throw new Failure('usage', sentenceFrom(error), error)
    throw error
  }
  const options = program.opts<Options>()
  const { listen, trackers } = addresses(program.args, readFile, command)
  return {
    kind: 'run',
    arguments: {
      listen,
      advertise: options.advertise,
      trackers,
      dataFolder: options.dataDir,
      linger: options.linger ?? false,
      script,
      isJson: options.json ?? false,
      stopsAtError: options.keepGoing === true ? false : options.stopAtError,
      passwordFile: options.passwordFile,
      uploadLimit: rate(options.uploadLimit),
      downloadLimit: rate(options.downloadLimit),
      mapsPort: options.mapPort ?? false,
      metricsPort: options.metrics,
      webPort: options.web,
      dropFolder: options.dropFolder,
      guests: options.guests,
      guestCertificate: options.guestCert,
      auditFile: options.audit,
      relay: options.relay === undefined ? undefined : { bytesPerSecond: rate(options.relay) },
      encryption: encryptionOf(options),
    },
  }
}

/** The command line as commander knows it. Adds `-e` and `-f` to `script`. */
export function clientProgram(
  write: (text: string) => void = () => undefined,
  script: ScriptPart[] = [],
  command = './client',
): Command {
  const program = new Command('client')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {} })
    .usage(
      `[options] <ip:port> [tracker file]\n       ${nameOf(command)} [options] <ip> <port> <tracker ip> <tracker port>`,
    )
    .description('Shares files privately within groups, peer to peer.')
    .argument('[words...]')
    .configureHelp({
      visibleArguments: () => [],
      commandUsage: (each) => `${nameOf(command)} ${each.usage()}`,
    })
    .option('--data-dir <folder>', 'keep accounts, shares and unfinished downloads in this folder')
    .addOption(
      new Option(
        '--advertise <host[:port]>',
        'where others reach this client, if not at the address that a tracker sees',
      ).argParser(parseAdvertised),
    )
    .addOption(
      new Option('-e, --execute <command>', 'run this command and end; may be given several times').argParser(
        (commands: string) => void script.push({ commands }),
      ),
    )
    .addOption(
      new Option(
        '-f, --file <script>',
        'run the commands of this file and end; - is standard input',
      ).argParser((file: string) => void script.push({ file })),
    )
    .option('--json', 'print replies and events as JSON, one a line')
    .option('--keep-going', 'go on after a command that failed, as for standard input')
    .addOption(
      new Option('--stop-at-error', 'stop at a command that fails, as for -e and -f').conflicts('keepGoing'),
    )
    .option('--password-file <file>', 'read the password for commands that need one from this file')
    .option('--linger', 'keep sharing after the end of piped commands, until SIGINT or SIGTERM')
    .option('--upload-limit <rate>', 'limit all uploads together')
    .option('--download-limit <rate>', 'limit all downloads together')
    .option('--map-port', 'have the router of your network forward the port of this client (UPnP, NAT-PMP)')
    .option('--relay <rate>', 'forward between members who cannot reach each other, so much a second')
  return withServices(program)
    .option('--tls', 'encrypt all connections, on this machine too')
    .addOption(
      new Option('--insecure-plain', 'encrypt nothing: whoever listens can take over accounts').conflicts(
        'tls',
      ),
    )
    .version(`coterie ${version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', explanationFor(command))
}

/** What is served besides, to whom, and what is written of it. */
function withServices(program: Command): Command {
  return program
    .addOption(
      new Option('--metrics <port>', 'serve metrics for Prometheus on this port of 127.0.0.1').argParser(
        parsePort,
      ),
    )
    .addOption(
      new Option('--web [port]', 'serve a page for browsers on this machine, and print a link to it')
        .preset('0')
        .argParser(parsePort),
    )
    .option(
      '--drop-folder <folder>',
      'copy files that are dropped into the page into this folder, and share them',
    )
    .addOption(
      new Option(
        '--guests <ip:port>',
        'serve people without an account over HTTPS there, by links that share_link makes',
      ).argParser(parseAddress),
    )
    .option(
      '--guest-cert <file>',
      'show guests this certificate, whose key is in the same file (PEM), instead of one that is made',
    )
    .option('--audit <file>', 'write to this file which links were made, used and ended, and by whom')
}

function rate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const parsed = parseRate(text)
  if (!parsed.ok) throw new Failure('usage', parsed.refusal.sentence)
  return parsed.value
}

/** commander's message as one line, without its "error:" and with any suggestion appended. */
function sentenceFrom(error: CommanderError): string {
  return error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.+)\?\)$/, '; did you mean $1?')
    .replaceAll(/\s*\n\s*/g, ' ')
}

function addresses(
  words: readonly string[],
  readFile: (path: string) => string,
  command: string,
): { listen: Address; trackers: ListedTracker[] } {
  const [first, second, third, fourth] = words
  if (first === undefined)
    throw new Failure(
      'usage',
      `the listening address is missing: ${command} 127.0.0.1:4444 ${defaultTrackerFile}`,
    )
  if (words.length <= 2) {
    const listen = listenAddress(first, second, command)
    if (second !== undefined) refuseAddress(first, second, command)
    return { listen, trackers: readTrackerInfo(second ?? defaultTrackerFile, readFile).map(callable) }
  }
  if (second === undefined || third === undefined || fourth === undefined || words.length > 4)
    throw new Failure(
      'usage',
      `these are ${words.length} words; write <ip:port> [tracker file], or <ip> <port> <tracker ip> <tracker port>`,
    )
  return {
    listen: checkedAddress(first, second),
    trackers: [callable({ ...checkedAddress(third, fourth), pin: undefined })],
  }
}

function listenAddress(text: string, next: string | undefined, command: string): Address {
  // `./client 127.0.0.1 3000` is the four-word form cut short; say so instead of rejecting 127.0.0.1.
  if (!text.includes(':') && next !== undefined && /^\d+$/.test(next))
    throw new Failure(
      'usage',
      `the tracker is missing: ${command} ${text} ${next} <tracker ip> <tracker port>`,
    )
  return parseAddress(text)
}

/** Catches `./client 127.0.0.1:3000 127.0.0.1:8000`: the second word is hardly meant as a file name. */
function refuseAddress(listen: string, file: string, command: string): void {
  if (!/^(\[[^\]]+\]|[^:/]+):\d+$/.test(file)) return
  const words = `${listen} ${file}`.replaceAll(/\[?([^\s[\]]+)\]?:(\d+)(?=\s|$)/g, '$1 $2')
  throw new Failure(
    'usage',
    `write two addresses as four words: ${command} ${words}; or put the tracker into a file`,
  )
}

function callable(tracker: ListedTracker): ListedTracker {
  if (tracker.port === 0) throw new Failure('usage', 'a tracker cannot have port 0')
  return tracker
}
