// Reads a terminal only while this process is in its foreground. A process in the background that reads its
// terminal is stopped by the system (SIGTTIN), and all its clients hang. Node can neither ignore that signal nor
// ask for the terminal's foreground group, so the group is looked up before reading begins.

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import { promisify } from 'node:util'

/** A shell's `fg` sends nothing to a process that was not stopped, so a process in the background polls. */
const lookEveryMs = 250
/** The same where each look starts `ps`. */
const lookWithPsEveryMs = 2_000

/** Process groups: that of this process, and that in the foreground of its terminal, 0 or -1 for no terminal. */
interface Groups {
  readonly own: number
  readonly foreground: number
}

/** What reads a terminal, by turns. */
export interface Reading {
  /** For the first time. */
  begin(): void
  /** This process is about to be stopped, and the terminal is still its own. */
  stop(): void
  /** The terminal may belong to others already. */
  pause(): void
  resume(): void
}

/** Reads as `begin` makes `input` flow. */
export function plainReading(input: ReadStream, begin: () => void): Reading {
  const pause = (): void => void input.pause()
  return { begin, stop: pause, pause, resume: () => void input.resume() }
}

/**
 * Has `reading` begin as soon as this process is in the foreground of its terminal, and pause while it is not. `statFile`
 * is Linux's file about this process; without it `ps` is asked, and where `ps` does not know either, nothing is read.
 */
export function readInForeground(input: ReadStream, reading: Reading, statFile = '/proc/self/stat'): void {
  const reader = new ForegroundReader(input, reading, statFile)
  reader.start()
}

class ForegroundReader {
  readonly #input: ReadStream
  readonly #reading: Reading
  readonly #statFile: string
  #hasBegun = false
  #isReading = false
  /** Incremented when an answer of `ps` still to come must be ignored. */
  #turn = 0
  #watch: NodeJS.Timeout | undefined

  constructor(input: ReadStream, reading: Reading, statFile: string) {
    this.#input = input
    this.#reading = reading
    this.#statFile = statFile
  }

  start(): void {
    const isFree = groupsInFile(this.#statFile) !== undefined
    this.#watch = setInterval(() => this.#lookAgain(), isFree ? lookEveryMs : lookWithPsEveryMs)
    this.#watch.unref()
    process.on('SIGTSTP', this.#onStop)
    process.on('SIGCONT', this.#onContinued)
    this.#input.once('close', () => clearInterval(this.#watch))
    this.#look()
  }

  /** No need to look while reading: only the shell takes a terminal away, and it stops this process to do so. */
  #lookAgain(): void {
    if (!this.#isReading) this.#look()
  }

  #look(): void {
    const turn = ++this.#turn
    const groups = groupsInFile(this.#statFile)
    if (groups !== undefined) this.#onGroups(groups)
    else
      void groupsFromPs().then((found) => {
        if (turn === this.#turn && found !== undefined) this.#onGroups(found)
      })
  }

  #onGroups({ own, foreground }: Groups): void {
    // Without a terminal of its own a process is not stopped for reading one.
    const isInForeground = own === foreground || foreground <= 0
    if (!isInForeground) this.#pause(false)
    else if (!this.#isReading) this.#read()
  }

  #read(): void {
    this.#isReading = true
    if (this.#hasBegun) this.#reading.resume()
    else this.#reading.begin()
    this.#hasBegun = true
  }

  /** `isOurs`: the terminal is still this process's to be reset. */
  #pause(isOurs: boolean): void {
    this.#turn++
    if (!this.#isReading) return
    this.#isReading = false
    if (isOurs) this.#reading.stop()
    else this.#reading.pause()
  }

  /** Ctrl-Z. A process that still reads when it continues in the background would be stopped before it can look. */
  readonly #onStop = (): void => {
    this.#pause(true)
    // A pause takes effect one tick later.
    process.nextTick(() => {
      process.off('SIGTSTP', this.#onStop)
      // Not SIGSTOP: without a shell that could continue it, this process must not stop, and SIGTSTP then is ignored.
      process.kill(process.pid, 'SIGTSTP')
      // Execution continues here. If it was stopped, SIGCONT is heard first.
      process.on('SIGTSTP', this.#onStop)
      setImmediate(() => this.#lookAgain())
    })
  }

  readonly #onContinued = (): void => {
    this.#pause(false)
    this.#look()
  }
}

/** Undefined where there is no such file. */
function groupsInFile(statFile: string): Groups | undefined {
  try {
    // `pid (name) state ppid pgrp session tty_nr tpgid …`: the name may contain anything.
    const text = readFileSync(statFile, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return groupsOf(fields[2], fields[5])
  } catch {
    return undefined
  }
}

/** Undefined where there is no `ps` that knows them. */
async function groupsFromPs(): Promise<Groups | undefined> {
  try {
    const words = ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)]
    const { stdout } = await promisify(execFile)('ps', words)
    const [own, foreground] = stdout.trim().split(/\s+/)
    return groupsOf(own, foreground)
  } catch {
    return undefined
  }
}

function groupsOf(own: string | undefined, foreground: string | undefined): Groups | undefined {
  const groups = { own: Number(own), foreground: Number(foreground) }
  return Number.isInteger(groups.own) && Number.isInteger(groups.foreground) ? groups : undefined
}
