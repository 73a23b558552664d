import { join } from 'node:path'
import { group, inArena, makeFile } from '../arena.ts'
const n = Number(process.argv[2] ?? 30)
const mib = Number(process.argv[3] ?? 4)
const options = process.argv[4] === undefined ? [] : process.argv[4].split(' ')
await inArena(async (arena) => {
  const sharer = await arena.startMember('sharer', options)
  const client = await arena.startMember('client')
  for (let i = 0; i < n; i++) await sharer.say(`upload_file ${await makeFile(arena, `f${i}`, mib)} ${group}`)
  const t = performance.now()
  for (let i = 0; i < n; i++) await client.say(`download_file ${group} f${i} ${join(arena.folder, `copy-${i}`)}`)
  let done = 0
  const late = setTimeout(() => { console.log('late, done', done); process.exit(1) }, 120000)
  while (done < n) await client.next((line) => {
    if (line.startsWith('[C]')) { done++; if (done % 10 === 0) console.log(done, ((performance.now() - t) / 1000).toFixed(1)); return true }
    if (!line.startsWith('downloading')) console.log('client:', line)
    return false
  })
  clearTimeout(late)
  console.log('all', ((performance.now() - t) / 1000).toFixed(2), 's')
})
process.exit()
