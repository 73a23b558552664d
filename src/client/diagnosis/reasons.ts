// What a download or share can wait for: the fixed list of codes, each with what it means and what to do about it.
// docs/troubleshooting.md has a section for each.

import type { Way } from '../way.ts'

interface Reason {
  /** One sentence, for where nothing more exact is known. */
  readonly means: string
  readonly remedy: string
}

const table = {
  'not-logged-in': { means: 'nobody is logged in', remedy: 'log in: login <user>' },
  'tracker-gone': {
    means: 'no tracker answers',
    remedy: 'check that a tracker runs and can be reached; this client keeps trying',
  },
  'tracker-key': {
    means: 'the tracker has another key than the list says',
    remedy:
      'ask whoever runs the tracker for the line that it prints at its start, and compare it with the list',
  },
  'tracker-version': {
    means: 'the tracker speaks another version of the protocol',
    remedy: 'install the version of Coterie that the tracker has',
  },
  'tracker-refuses': {
    means: 'the tracker does not accept this client',
    remedy: 'wait if the tracker is full; else log out and in again',
  },
  'tracker-other': {
    means: 'what answers at the address of the tracker is not your tracker',
    remedy: 'check the list of trackers; log out to use another community',
  },
  'no-such-group': { means: 'there is no such group', remedy: 'check its name: list_groups' },
  'not-approved': {
    means: 'the owner of the group has not let you in yet',
    remedy: 'ask the owner to type accept_request <group> <user>; you will be told here',
  },
  'not-a-member': { means: 'you are not a member of the group', remedy: 'ask to join: join_group <group>' },
  'no-such-file': {
    means: 'the group has no such file',
    remedy: 'check its name: list_files <group>; it may have been withdrawn',
  },
  'not-started': {
    means: 'you neither fetch nor share it here',
    remedy: 'to fetch it: download_file <group> <name> <destination>',
  },
  'no-seeder': {
    means: 'nobody who has the file is online',
    remedy: 'wait, or ask somebody who has it to start their client',
  },
  unreachable: {
    means: 'no connection to those who have the file',
    remedy: 'ask them to type doctor; a firewall or router may be in the way',
  },
  refused: {
    means: 'those who have the file refuse to give it',
    remedy: 'wait, they are asked again; if it stays so, ask them to type why <group> <name>',
  },
  'bad-peer': {
    means: 'those who have the file sent bad pieces or broke the protocol',
    remedy: 'ask somebody else who has the file to share it',
  },
  'peer-version': {
    means: 'those who have the file run another version of Coterie',
    remedy: 'install the same version at both ends',
  },
  'file-changed': {
    means: 'the file was changed where it is shared',
    remedy: 'ask whoever shared it to upload it again',
  },
  'pieces-missing': {
    means: 'nobody who is online has the pieces that are missing here',
    remedy: 'wait for somebody who has the whole file',
  },
  queued: {
    means: 'those who have the file send to others first',
    remedy: 'wait for your turn',
  },
  limited: {
    means: 'a limit slows the transfer down',
    remedy: 'wait; a limit of your own can be raised with limit',
  },
  'goes-behind': {
    means: 'a download of a higher priority goes first',
    remedy: 'wait, or raise its own: prioritize <group> <name> high',
  },
  roundabout: {
    means: 'no address of those who have the file can be dialled',
    remedy: 'nothing to do; to be faster, let one end forward a port: see docs/reach.md',
  },
  'slow-peer': {
    means: 'those who have the file send slowly',
    remedy: 'wait, or ask others who have it to come online',
  },
  'slow-disk': {
    means: 'your disk takes long to write',
    remedy: 'see what else uses the disk, or choose another one',
  },
  'disk-full': {
    means: 'your disk is full',
    remedy: 'free some space; the download goes on by itself',
  },
  'no-permission': {
    means: 'you have no right to write where the file is to go',
    remedy: 'give yourself the right to write there; the download goes on by itself',
  },
  'disk-trouble': {
    means: 'the file cannot be written',
    remedy: 'check the disk or folder that is named, then type resume_download <group> <name>',
  },
  paused: { means: 'it is paused', remedy: 'to go on: resume_download <group> <name>' },
  connecting: { means: 'it has just begun', remedy: 'wait a few seconds' },
  verifying: { means: 'what is on disk is being verified', remedy: 'wait until that is done' },
  running: { means: 'it is on its way', remedy: 'nothing to do' },
  complete: { means: 'it is complete', remedy: 'nothing to do' },
  'file-gone': {
    means: 'the file that you share cannot be read',
    remedy: 'put it back where it was, or upload it from its new place',
  },
  'not-listed': {
    means: 'the trackers do not list your share yet',
    remedy: 'wait, they are asked again',
  },
  sharing: { means: 'others can get it from here', remedy: 'nothing to do' },
} as const satisfies Readonly<Record<string, Reason>>

export type WhyCode = keyof typeof table

export const reasons: Readonly<Record<WhyCode, Reason>> = table

/** One thing that a download or share waits for. */
export interface Finding {
  readonly code: WhyCode
  readonly sentence: string
  readonly remedy: string
  /** The entry, where a whole group was asked about. */
  readonly name?: string
  /** Whom it is about. */
  readonly user?: string
  /** That were tried, as `ip:port`. */
  readonly addresses?: readonly string[]
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs?: number
  readonly bytesPerSecond?: number
  /** By which way they are connected. */
  readonly way?: Way
}

/** `sentence`: more exact than the meaning of the code. */
export function finding(
  code: WhyCode,
  sentence: string = reasons[code].means,
  more: Omit<Finding, 'code' | 'sentence' | 'remedy'> = {},
): Finding {
  return { code, sentence, remedy: reasons[code].remedy, ...more }
}
