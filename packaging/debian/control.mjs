// What dpkg and people are told of the package.

/** Debian's names by Node's. */
const architectures = { x64: 'amd64', arm64: 'arm64', arm: 'armhf', ppc64: 'ppc64el', s390x: 's390x' }

/** As dpkg orders versions, what follows a tilde comes before what lacks it: 1.0.0-rc.1 before 1.0.0. */
export function debianVersion(version, revision) {
  return `${version.replace('-', '~')}-${revision}`
}

/** Undefined where Debian has none. */
export function architectureOf(arch) {
  return architectures[arch]
}

/** The text of `control`. `sizeBytes`: of all files, installed. */
export function control({ version, architecture, dependencies, sizeBytes, maintainer }) {
  return `Package: coterie
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(sizeBytes / 1024)}
Depends: ${['adduser', ...dependencies].join(', ')}
Suggests: nats-server
Section: net
Priority: optional
Description: private group file sharing, peer to peer
 Coterie shares files and folders privately within groups of people. A tracker
 knows who is in which group and who shares what; the files travel directly
 between the members, in verified pieces, from many members at once. Only
 members of a group get its files, and the group's owner decides who is a
 member.
 .
 This package has the client and the tracker, with services for systemd. It
 brings its own Node.js.
`
}

/** The text of Debian's changelog: one entry, which points to the other. `atSeconds`: since 1970. */
export function debianChanges({ version, maintainer, atSeconds }) {
  const date = new Date(atSeconds * 1000).toUTCString().replace('GMT', '+0000')
  return `coterie (${version}) unstable; urgency=medium

  * Built from the sources of this version; changelog.gz says what changed.

 -- ${maintainer}  ${date}
`
}
