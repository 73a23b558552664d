// What is made from the tables of the programs: manual pages that troff reads, and completions that shells do.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { completionsFor, shells } from '../../src/manual/completions.ts'
import { manPage } from '../../src/manual/man-page.ts'
import { manuals } from '../../src/manual/manual.ts'

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined

/** What bash offers for the last of these words. */
function offered(...words: readonly string[]): string[] {
  const script = `${completionsFor('bash', manuals)}
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
"_coterie_$COTERIE"
printf '%s\\n' "\${COMPREPLY[@]}"`
  const [program = ''] = words
  const run = spawnSync('bash', ['--norc', '--noprofile', '-c', script, 'bash', ...words], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', COTERIE: program === 'coterie' ? 'client' : 'tracker' },
  })
  expect(run.stderr).toBe('')
  return run.stdout.split('\n').filter((line) => line !== '')
}

test.skipIf(!isThere('bash'))('bash completes options, commands behind -e, and files', () => {
  expect(offered('coterie', '--pass')).toEqual(['--password-file'])
  expect(offered('coterie', '-e', 'accept')).toEqual(['accept_request'])
  expect(offered('coterie-tracker', '--regis')).toEqual(['--registration'])
  expect(offered('coterie', 'tracker_i')).toEqual(['tracker_info.txt'])
})

test.each(shells)('%s reads its completions', (shell) => {
  if (!isThere(shell)) return
  const run = spawnSync(shell, ['-n'], { input: completionsFor(shell, manuals), encoding: 'utf8' })
  expect(run).toMatchObject({ status: 0, stderr: '' })
})

test.each(manuals)('the manual page of the $name has no line that troff takes for its own', (manual) => {
  const page = manPage({ ...manual, description: '.so /etc/passwd \\n[it] - .' }, '1.0', ['coterie-x'])
  const macros = new Set(page.split('\n').flatMap((line) => /^[.'][^ ]*/.exec(line) ?? []))
  expect([...macros].filter((macro) => !/^\.(TH|SH|SS|TP|B|BR|br)$/.test(macro))).toEqual([])
  expect(page).toContain('\\&.so /etc/passwd \\en[it] \\- .')
  for (const { flags } of manual.options) expect(page).toContain(`.B ${flags.replaceAll('-', '\\-')}`)
})
