// What trackers say of groups, files and versions, as plain types: other programs see them too, in the types of the library,
// and shall need no package to read them. tracker-protocol.ts has the schemas.

/** A user's standing in a group. */
export type Standing = 'owner' | 'member' | 'requested' | 'none'

export interface GroupEntry {
  group: string
  owner: string
  /** How many. */
  members: number
  /** Of the user who asks. */
  standing: Standing
  /** Listed only to its members and those who ask to join. */
  hidden?: boolean | undefined
}

/** Which content of a name this is (from 1), and who shared it first and when; 0 and empty when nobody knows. */
export interface Edition {
  version: number
  /** Milliseconds since 1970. */
  atMs: number
  by: string
}

/** A name in a group. */
export interface FileEntry {
  name: string
  sizeBytes: number
  /** Users online with all of it. */
  seeders: number
  /** How many files a folder has; absent for a single file. */
  files?: number | undefined
  /** There when `details` were asked for. `fileId`: by which the content is known, 64 hexadecimal digits. */
  details?: ({ fileId: string } & Edition) | undefined
}

/** A content that a name has or had. */
export interface EntryVersion extends Edition {
  /** By which the content is known, 64 hexadecimal digits. */
  fileId: string
  sizeBytes: number
  /** How many files a folder has; absent for a single file. */
  files?: number | undefined
}
