// Parses the tracker's command line. Pure except for reading the files that it names and listing data folders, which
// callers can replace.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parsePort } from '../common/port-option.ts'
import { checkedAddress, parseAdvertised, type Address } from '../common/addresses.ts'
import { counted } from '../common/counted.ts'
import { Failure, sentenceOf } from '../common/failure.ts'
import { readTrackerInfo, type ListedTracker } from '../common/tracker-info.ts'
import { nameOf } from '../common/started-as.ts'
import { version } from '../common/version.ts'
import { encryptionOf, type Encryption } from '../common/wire/protection.ts'
import type { Advertised } from './requests/advertised.ts'
import { reachOptions } from './reach-options.ts'
import { registrationModes, type RegistrationMode } from './state/registration-modes.ts'
import { folderOfList, readKnownFolders, type KnownFolder } from './folder-of-list.ts'
import { parseNatsAddress, type NatsAddress } from './log/nats/nats-address.ts'
import { parseNatsCredentials } from './log/nats/nats-credentials.ts'

export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug'] as const

export interface Arguments {
  readonly address: Address
  /** Where clients reach it; port 0 stands for that of `address`. Undefined for what the list says. */
  readonly advertise: Address | undefined
  /** Which addresses beside its own a client may advertise. */
  readonly advertised: Advertised
  /** What to forward between clients; undefined for nothing. */
  readonly relay: { readonly bytesPerSecond: number | undefined } | undefined
  /** Where clients reach it, as `advertise` or the list says; port 0 stands for that of `address`. */
  readonly reachedAt: Address
  readonly number: number
  /** All trackers of the list, in its order. */
  readonly list: readonly ListedTracker[]
  /** Undefined to keep everything in memory. */
  readonly dataFolder: string | undefined
  /** Whether it is the folder of an earlier version of this list. */
  readonly isFoundAgain: boolean
  /** Undefined to keep the log in the data folder, or in memory. */
  readonly nats: NatsAddress | undefined
  readonly encryption: Encryption
  readonly logLevel: string
  /** Where to write who did what; undefined for nowhere. */
  readonly auditFile: string | undefined
  /** Undefined to leave it as it is. */
  readonly registration: RegistrationMode | undefined
  /** The port on loopback for Prometheus; undefined for none. */
  readonly metricsPort: number | undefined
}

/** Help or the version, printed instead of starting. */
export interface TextInstead {
  readonly text: string
}

interface Options {
  advertise?: Address
  advertised: Advertised
  relay?: { bytesPerSecond: number | undefined }
  dataDir?: string
  memory?: boolean
  log?: NatsAddress
  logCa?: string
  logCredentials?: string
  logLevel: string
  tls?: boolean
  insecurePlain?: boolean
  audit?: string
  registration?: RegistrationMode
  metrics?: number
}

/** What people need to know when they choose where the data is kept. */
const durability = `
What was answered with "done" survives:
  in the data folder    a kill and a power failure: SQLite, on the disk before
                        the answer
  with --log tls://…    the loss of any one machine of three (two of five). If
                        all lose power at once, the last two minutes can be
                        lost, unless the servers flush each message
                        (sync_interval: always, nats-server 2.10.23 or newer)
  with --memory         nothing
`

/**
 * `words` without the program's name; `command`: what is typed to start the tracker, for texts; `knownFolders` lists
 * the data folders in a folder. Throws a `usage` or `file` failure with a sentence.
 */
export function parseArguments(
  words: readonly string[],
  knownFolders: (parent: string) => readonly KnownFolder[] = readKnownFolders,
  command = './tracker',
): Arguments | TextInstead {
  let text = ''
  const program = trackerProgram((output) => (text += output), command)
  try {
    program.parse(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { text }
    throw new Failure('usage', error.message.replace(/^error: /, '').replace(/\s+/g, ' '), error)
  }
  const options = program.opts<Options>()
  const [where, which] = program.args
  if (where === undefined)
    throw new Failure('usage', `the trackers are missing: ${command} tracker_info.txt 1`)
  const { address, number, all } = trackerOf(where, which, nameOf(command))
  return {
    address,
    advertise: options.advertise,
    advertised: options.advertised,
    relay: options.relay,
    reachedAt: options.advertise ?? all[number - 1] ?? address,
    number,
    list: all,
    ...dataFolderOf(options, all, knownFolders),
    nats: natsOf(options, natsWithCa(options)),
    encryption: encryptionOf(options),
    logLevel: options.logLevel,
    auditFile: options.audit === undefined ? undefined : resolve(options.audit),
    registration: options.registration,
    metricsPort: options.metrics,
  }
}

function dataFolderOf(
  { dataDir, memory }: Options,
  list: readonly Address[],
  knownFolders: (parent: string) => readonly KnownFolder[],
): Pick<Arguments, 'dataFolder' | 'isFoundAgain'> {
  if (memory === true) return { dataFolder: undefined, isFoundAgain: false }
  if (dataDir !== undefined) return { dataFolder: resolve(dataDir), isFoundAgain: false }
  const { path, isFoundAgain } = folderOfList(list, knownFolders)
  return { dataFolder: path, isFoundAgain }
}

function natsWithCa({ log, logCa: file }: Options): NatsAddress | undefined {
  if (file === undefined) return log
  if (log?.isTls !== true)
    throw new Failure('usage', '--log-ca is for encrypted connections to NATS; write --log tls://…')
  const ca = readFor('the certificate of --log-ca', file)
  try {
    // eslint-disable-next-line no-new -- Only to see whether it is one.
    new X509Certificate(ca)
  } catch (error) {
    throw new Failure(
      'usage',
      `${file} holds no certificate; --log-ca needs one that begins with -----BEGIN`,
      error,
    )
  }
  return { ...log, ca }
}

function readFor(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Failure('usage', `cannot read ${what} from ${file}: ${sentenceOf(error)}`, error)
  }
}

/** Reads the credentials file, which is small; the secret is kept nowhere else. */
function natsOf({ logCredentials: file }: Options, log: NatsAddress | undefined): NatsAddress | undefined {
  if (file === undefined) return log
  if (log === undefined)
    throw new Failure('usage', '--log-credentials is for NATS; name its servers with --log')
  if (log.user !== undefined || log.token !== undefined)
    throw new Failure('usage', 'with --log-credentials, leave user, password and token out of --log')
  return { ...log, ...parseNatsCredentials(readFor('the credentials for NATS', file), file) }
}

function natsOptions(): Option[] {
  return [
    new Option(
      '--log <tls://host:port,…>',
      'keep the data in NATS JetStream, for trackers on several machines',
    ).argParser(parseNatsAddress),
    new Option(
      '--log-ca <file>',
      'the certificate of the authority of the NATS servers, if this machine does not trust it',
    ).argParser(notEmpty),
    new Option(
      '--log-credentials <file>',
      'the login of this tracker at NATS: lines like user: "…" and password: "…"',
    ).argParser(notEmpty),
  ]
}

const usages = [
  '[options] <tracker_info.txt> [number]',
  '[options] <ip> <port>',
  'backup|restore <file> [tracker_info.txt] [--data-dir <folder>]',
]

/** The command line as commander knows it. */
export function trackerProgram(
  write: (output: string) => void = () => undefined,
  command = './tracker',
): Command {
  const program = new Command('tracker')
    .description('Knows who is in which group and who shares what; the bytes travel between the clients.')
    .usage(usages.join(`\n       ${nameOf(command)} `))
    .configureHelp({ commandUsage: (program) => `${nameOf(command)} ${program.usage()}` })
    .argument('[where]', 'the file that lists the trackers, or the ip to listen on')
    .argument('[which]', 'the number of this tracker in the file (1 if left out), or the port')
    .addOption(new Option('--data-dir <folder>', 'keep the data in this folder').argParser(notEmpty))
    .addOption(
      new Option('--memory', 'keep the data in memory only: it is lost when the tracker ends').conflicts([
        'dataDir',
        'log',
      ]),
    )
  for (const option of natsOptions()) program.addOption(option)
  program
    .addHelpText('after', durability)
    .addOption(
      new Option(
        '--advertise <host[:port]>',
        'where clients reach this tracker, for the line that it prints for their lists',
      ).argParser(parseAdvertised),
    )
  for (const option of reachOptions()) program.addOption(option)
  return program
    .option('--tls', 'take only encrypted connections, on this machine too')
    .addOption(
      new Option('--insecure-plain', 'encrypt nothing: whoever listens can take over accounts').conflicts(
        'tls',
      ),
    )
    .addOption(
      new Option(
        '--registration <mode>',
        'who may register, at all trackers of the community, until it is set again',
      ).choices(registrationModes),
    )
    .addOption(
      new Option('--log-level <level>', 'what to log on standard error').choices(logLevels).default('warn'),
    )
    .addOption(
      new Option('--audit <file>', 'write who did what to this file, of this tracker alone').argParser(
        notEmpty,
      ),
    )
    .addOption(
      new Option('--metrics <port>', 'serve metrics for Prometheus on this port of 127.0.0.1').argParser(
        parsePort,
      ),
    )
    .version(`coterie ${version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined })
}

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('a file or folder needs a name')
  return text
}

function trackerOf(
  where: string,
  which: string | undefined,
  name: string,
): { address: Address; number: number; all: ListedTracker[] } {
  if (isIP(where) !== 0 || where === 'localhost') {
    if (which === undefined) throw new Failure('usage', `the port is missing; write ${name} ${where} 8000`)
    const address = checkedAddress(where, which)
    return { address, number: 1, all: [{ ...address, pin: undefined }] }
  }
  const all = readTrackerInfo(where, (path) => readFileSync(path, 'utf8'))
  const number = numberOf(which ?? '1')
  const address = all[number - 1]
  if (address === undefined)
    throw new Failure(
      'usage',
      `${where} lists ${counted(all.length, 'tracker')}; there is no number ${number}`,
    )
  // Its name may be that of another end of an address translation, so it listens on all addresses.
  return { address: isIP(address.host) === 0 ? { ...address, host: '0.0.0.0' } : address, number, all }
}

function numberOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new Failure('usage', `"${text}" is not the number of a tracker; number 1 is the first line`)
  return Number(text)
}
