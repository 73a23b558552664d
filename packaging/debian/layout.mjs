// What the Debian package puts where: the one place that knows. The scripts of dpkg beside this file name the user and
// the folder of the data, which are not in the package.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem, root } from '../../scripts/stamp.mjs'

/** Where the programs and their Node are. */
export const library = '/usr/lib/coterie'
/** The list of trackers, and the options of each. */
const settings = '/etc/coterie'
const documents = '/usr/share/doc/coterie'
const units = {
  tracker: '/usr/lib/systemd/system/coterie-tracker@.service',
  client: '/usr/lib/systemd/user/coterie-client.service',
}
/** What the documents link to that lies elsewhere than in a clone, by the words of the links. */
const moved = [
  ['](../deploy/coterie-tracker@.service)', `](${units.tracker})`],
  ['](../deploy/coterie-client.service)', `](${units.client})`],
  ['](../deploy/', '](../examples/'],
  ['](CHANGELOG.md)', '](changelog.gz)'],
  ['](LICENSE)', '](copyright)'],
]

/** Commands by the program that each starts. */
export const commands = { client: '/usr/bin/coterie', tracker: '/usr/bin/coterie-tracker' }

/**
 * The files beside the programs, `{ to, text, mode }`, the latter 0644 without one. A name that ends in `.gz` is one whose
 * text is still to be compressed. `licenses`: those of what is bundled; `changes`: the text of Debian's changelog.
 */
export function filesOf(texts) {
  return [...started(), ...configured(), ...documented(texts)]
}

/** What dpkg asks about before it replaces it. */
export function settingFiles() {
  return configured().map(({ to }) => to)
}

function started() {
  const start = textOf('packaging/start.sh').replaceAll('@LIBRARY@', library)
  return [
    ...Object.entries(commands).map(([program, to]) => ({
      to,
      text: start.replaceAll('@PROGRAM@', program),
      mode: 0o755,
    })),
    { to: units.tracker, text: trackerUnit() },
    { to: units.client, text: clientUnit() },
  ]
}

function configured() {
  return ['tracker_info.txt', 'tracker-1.env'].map((name) => ({
    to: `${settings}/${name}`,
    text: textOf(`packaging/debian/${name}`),
  }))
}

function documented({ licenses, nodeLicense, changes }) {
  const copyright = textOf('packaging/debian/copyright').replace('@LICENSE@', textOf('LICENSE').trim())
  return [
    { to: '/usr/share/man/man1/coterie.1.gz', text: textOf('docs/man/coterie.1') },
    { to: '/usr/share/man/man1/coterie-tracker.1.gz', text: textOf('docs/man/coterie-tracker.1') },
    // It is looked for by the name of the command.
    ...['coterie', 'coterie-tracker'].map((name) => ({
      to: `/usr/share/bash-completion/completions/${name}`,
      text: textOf('docs/completions/coterie.bash'),
    })),
    { to: '/usr/share/zsh/vendor-completions/_coterie', text: textOf('docs/completions/coterie.zsh') },
    {
      to: '/usr/share/fish/vendor_completions.d/coterie.fish',
      text: textOf('docs/completions/coterie.fish'),
    },
    { to: `${documents}/copyright`, text: copyright },
    { to: `${documents}/third-party.txt.gz`, text: licenses },
    { to: `${documents}/node-license.txt.gz`, text: nodeLicense },
    { to: `${documents}/changelog.gz`, text: textOf('CHANGELOG.md') },
    { to: `${documents}/changelog.Debian.gz`, text: changes },
    { to: `${documents}/README.Debian`, text: textOf('packaging/debian/README.Debian') },
    ...pages().map((name) => ({ to: `${documents}/${name}`, text: pageOf(name) })),
    ...examples().map((name) => ({
      to: `${documents}/examples/${name.replace('deploy/', '')}`,
      text: textOf(name),
    })),
    { to: '/usr/share/lintian/overrides/coterie', text: textOf('packaging/debian/lintian-overrides') },
  ]
}

/** The user of the package is there as long as its data, so that the unit needs none made up for it. */
function trackerUnit() {
  return changed(textOf('deploy/coterie-tracker@.service'), [
    ['/opt/coterie/tracker', commands.tracker],
    [/^Description=.*$/m, '$&\nDocumentation=man:coterie-tracker(1)'],
    [/# A user that exists while the service runs\.[^]*?DynamicUser=yes\n/, ''],
    ['("As a service with systemd")', '("From a Debian package")'],
    ['docs/operations.md', `${documents}/docs/operations.md`],
  ])
}

function clientUnit() {
  return changed(textOf('deploy/coterie-client.service'), [
    ['/opt/coterie/client', commands.client],
    [/^Description=.*$/m, '$&\nDocumentation=man:coterie(1)'],
    ['docs/operations.md', `${documents}/docs/operations.md`],
  ])
}

function changed(text, changes) {
  return changes.reduce((before, [from, to]) => {
    const after = before.replace(from, to)
    if (after === before)
      throw new Problem(`a unit of deploy lacks what the package changes: ${String(from)}`)
    return after
  }, text)
}

/** All documents but the pictures of the page, which are larger than these together. */
function pages() {
  const names = readdirSync(join(root, 'docs')).filter((name) => /\.(md|svg)$/.test(name))
  return [
    ...['ARCHITECTURE.md', 'CONTRIBUTING.md', 'PROTOCOL.md', 'README.md', 'SECURITY.md'],
    ...names.toSorted().map((name) => `docs/${name}`),
    'docs/examples/fetch-new.mjs',
  ]
}

function pageOf(name) {
  return moved.reduce((text, [from, to]) => text.replaceAll(from, to), textOf(name))
}

function examples() {
  return [
    'deploy/Dockerfile',
    'deploy/compose.yaml',
    'deploy/tracker_info.txt',
    'deploy/nats/nats.conf',
    'deploy/nats/make-secrets.sh',
    'deploy/prometheus/prometheus.yml',
    'deploy/prometheus/alerts.yml',
    'deploy/grafana/coterie.json',
  ]
}

function textOf(name) {
  return readFileSync(join(root, name), 'utf8')
}
