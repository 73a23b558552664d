// The stream that holds the log: created if there is none, refused if it is not ours, written and read a message at a
// time. Reads ask the stream's leader, or any replica when it does not answer; both hold only what a majority has.

import { JetStreamApiCodes, JetStreamApiError, type StreamConfig, type StreamInfo } from '@nats-io/jetstream'
import { counted } from '../../../common/counted.ts'
import { Failure } from '../../../common/failure.ts'
import { formatNatsAddress } from './nats-address.ts'
import type { NatsLink } from './nats-link.ts'

export interface StreamMessage {
  /** The id under which it was published; the same for all tries. */
  readonly id: string
  readonly data: Uint8Array
}

/** Sequences count from 1 without a gap. When all was truncated, `first` is one above `last`. */
export interface StreamBounds {
  readonly first: number
  readonly last: number
  /** The server that answers for the stream; empty outside of a cluster. */
  readonly leader: string
}

const formatVersion = 1
const idHeader = 'Nats-Msg-Id'

export class NatsStream {
  readonly #link: NatsLink
  readonly #name: string
  readonly #subject: string

  private constructor(link: NatsLink, name: string, subject: string) {
    this.#link = link
    this.#name = name
    this.#subject = subject
  }

  /** Rejects with a `data` failure for a stream that this program would not have made. */
  static async open(link: NatsLink): Promise<NatsStream> {
    const { stream, replicas } = link.address
    const subject = `${stream}.log`
    await openStream(link, { name: stream, subjects: [subject], num_replicas: replicas }, 'log')
    return new NatsStream(link, stream, subject)
  }

  async bounds(): Promise<StreamBounds> {
    const { state, cluster } = await this.#link.manager.streams.info(this.#name)
    return { first: state.first_seq, last: state.last_seq, leader: cluster?.leader ?? '' }
  }

  /** Undefined when there is no such message, or the server that answered does not have it yet. */
  async read(sequence: number): Promise<StreamMessage | undefined> {
    const { streams, direct } = this.#link.manager
    const message = await streams.getMessage(this.#name, { seq: sequence }).catch(() =>
      // A leader answers only while the cluster has one too; any replica returns what is committed.
      direct.getMessage(this.#name, { seq: sequence }),
    )
    return message === null ? undefined : { id: message.header.get(idHeader), data: message.data }
  }

  /**
   * The sequence of the message, when a majority of the replicas has it. After a rejection the message may be in the
   * stream all the same, or get there later. An `id` that was published in the last two minutes is not published
   * twice; the sequence is then unreliable.
   */
  async publish(data: Uint8Array, id: string): Promise<{ sequence: number; isDuplicate: boolean }> {
    const ack = await this.#link.publisher.publish(this.#subject, data, { msgID: id })
    return { sequence: ack.seq, isDuplicate: ack.duplicate }
  }

  /** Drops every message up to and including this one. */
  async truncate(sequence: number): Promise<void> {
    await this.#link.manager.streams.purge(this.#name, { seq: sequence + 1 })
  }
}

/** Settings of all streams. `discard: new`: a full stream refuses messages instead of dropping its beginning. */
const common = {
  retention: 'limits',
  storage: 'file',
  discard: 'new',
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  deny_delete: true,
  allow_direct: true,
} as const

/** Creates the stream, or checks the existing one. Several trackers may do this at the same moment. */
export async function openStream(
  link: NatsLink,
  wanted: Pick<StreamConfig, 'name' | 'subjects' | 'num_replicas'>,
  content: string,
): Promise<void> {
  const { streams } = link.manager
  const description = `Coterie: ${content}, format ${formatVersion}`
  const found = await streams.info(wanted.name).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
    // If another tracker creates it at this moment, the same request succeeds for both.
    return streams.add({ ...common, ...wanted, description })
  })
  checkStream(link, found, wanted, content)
}

function checkStream(
  link: NatsLink,
  { config }: StreamInfo,
  wanted: Pick<StreamConfig, 'subjects' | 'num_replicas'>,
  content: string,
): void {
  const where = formatNatsAddress(link.address)
  const format = /^Coterie: (\w+), format (\d+)$/.exec(config.description ?? '')
  if (format?.[1] !== content || config.subjects.join() !== wanted.subjects.join())
    throw new Failure(
      'data',
      `the stream ${config.name} of NATS does not belong to this tracker; name another log after the servers: ${where}-2`,
    )
  if (Number(format[2]) !== formatVersion)
    throw new Failure(
      'data',
      `the log ${where} has format ${format[2]}, this tracker reads ${formatVersion}; use the version that wrote it`,
    )
  const settings = new Map(Object.entries(config))
  for (const [key, value] of Object.entries(common)) {
    if (settings.get(key) !== value)
      throw new Failure(
        'data',
        `the stream ${config.name} of NATS can lose entries: its ${key} is ${JSON.stringify(settings.get(key))}, and has to be ${value}`,
      )
  }
  if (config.num_replicas !== wanted.num_replicas)
    throw new Failure(
      'data',
      `the log ${where} is kept on ${counted(config.num_replicas, 'server')}, not ${wanted.num_replicas}; change it with "nats stream edit ${config.name} --replicas ${wanted.num_replicas}", or start with ?replicas=${config.num_replicas}`,
    )
}

/** Whether the servers say that there is no such stream. */
export function isNotFound(error: unknown): boolean {
  // The library exports this class, but not the more specific one of such errors.
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound
}
