import assert from 'node:assert/strict'
import { mkdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { DirectorySource } from '../../operator/source/directory.ts'
import type { Touched } from '../../operator/world.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'

const endpoint = (name: string, url = 'https://models.example/v1') => `
apiVersion: tradewind.dev/v1alpha1
kind: ModelEndpoint
metadata: { name: ${name} }
spec:
  provider: { type: OpenAICompatible }
  address: { type: URL, url: '${url}' }
  models: [{ name: m }]
`
const route = (weight: number | string) => `
apiVersion: tradewind.dev/v1alpha1
kind: ModelRoute
metadata: { name: chat }
spec:
  models: [chat]
  rules:
    - targets:
        - endpoint: { name: a }
          weight: ${weight}
`

function folderOf(t: TestContext): string {
  const folder = scratch('folder')
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

async function started(t: TestContext, files: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv = {}) {
  const folder = folderOf(t)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const touched: Touched[] = []
  const source = new DirectorySource(folder, { environment })
  await source.start((it) => void (it && touched.push(it)))
  t.after(() => source.stop())
  const weight = () => source.world().routes.get('default/chat')?.spec.rules[0]?.targets[0]?.weight
  const generation = () => source.world().routes.get('default/chat')?.metadata.generation
  return { folder, source, touched, weight, generation }
}

test('directory: several documents, several files, folders below, and no others', async (t) => {
  const { source, folder } = await started(t, {
    'all.yaml': `${endpoint('a')}---\n${endpoint('b')}---\n# nothing\n---\n${route(1)}`,
    'deep/er/c.yml': endpoint('c'),
    'd.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x', labels: { a: 'b' } } }],
    }),
    '.hidden/e.yaml': endpoint('e'),
    'values.txt': endpoint('f'),
    'other.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: other }\n',
  })
  const world = source.world()
  assert.deepEqual([...world.endpoints.keys()].sort(), ['default/a', 'default/b', 'default/c'])
  assert.deepEqual([...world.routes.keys()], ['default/chat'])
  assert.deepEqual(world.namespaces.get('x'), { name: 'x', labels: { a: 'b' } })
  assert.deepEqual(source.findings, [])
  assert.equal(source.at('ModelEndpoint default/b'), `${join(folder, 'all.yaml')}:11`)
})

test('directory: saving is an edit, and a generation is a change of the spec', async (t) => {
  const { folder, source, weight, generation, touched } = await started(t, {
    'a.yaml': endpoint('a'),
    'r.yaml': route(1),
  })
  await writeFile(join(folder, 'r.yaml'), route(2))
  await eventually(() => assert.equal(weight(), 2))
  assert.equal(generation(), 2)
  assert.deepEqual(touched, [{ kind: 'ModelRoute', name: 'default/chat' }])
  const endpointBefore = source.world().endpoints.get('default/a')

  await writeFile(join(folder, 'r.yaml'), `# a comment\n${route(2)}`)
  await writeFile(join(folder, 'b.yaml'), endpoint('b'))
  await eventually(() => assert.ok(source.world().endpoints.has('default/b')))
  assert.equal(generation(), 2, 'a comment is no generation')
  assert.equal(source.world().endpoints.get('default/a'), endpointBefore, 'what did not change is the same object')
})

test('directory: editors that write another file and rename it, and files that are written in two goes', async (t) => {
  const { folder, weight, source, touched } = await started(t, { 'a.yaml': endpoint('a'), 'r.yaml': route(1) })
  await writeFile(join(folder, '.r.yaml.swp'), route(2))
  await rename(join(folder, '.r.yaml.swp'), join(folder, 'r.yaml'))
  await eventually(() => assert.equal(weight(), 2))

  // As `vi` does it, and a shell's `>`: for a moment the file is not there, or empty.
  await rename(join(folder, 'r.yaml'), join(folder, 'r.yaml~'))
  await writeFile(join(folder, 'seen.yaml'), endpoint('seen'))
  await eventually(() => assert.ok(source.world().endpoints.has('default/seen')))
  assert.equal(weight(), 2, 'a file that is gone for a moment takes nothing with it')
  await writeFile(join(folder, 'r.yaml'), '')
  await writeFile(join(folder, 'r.yaml'), route(3))
  await eventually(() => assert.equal(weight(), 3))
  assert.ok(!touched.some(({ kind, name }) => kind === 'ModelRoute' && name !== 'default/chat'))
})

test('directory: a mounted ConfigMap, whose files are swapped by one link', async (t) => {
  const folder = folderOf(t)
  const version = async (name: string, weight: number) => {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'all.yaml'), `${endpoint('a')}---\n${route(weight)}`)
  }
  await version('..one', 1)
  await symlink('..one', join(folder, '..data'))
  await symlink('..data/all.yaml', join(folder, 'all.yaml'))
  const source = new DirectorySource(folder, { environment: {} })
  await source.start(() => {})
  t.after(() => source.stop())
  const weight = () => source.world().routes.get('default/chat')?.spec.rules[0]?.targets[0]?.weight
  assert.equal(weight(), 1)
  await version('..two', 2)
  await symlink('..two', join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await rm(join(folder, '..one'), { recursive: true })
  await eventually(() => assert.equal(weight(), 2))
})

test('directory: what links point at outside is followed too', async (t) => {
  const outside = folderOf(t)
  await writeFile(join(outside, 'r.yaml'), route(1))
  const { folder, weight } = await started(t, { 'a.yaml': endpoint('a') })
  await symlink(join(outside, 'r.yaml'), join(folder, 'r.yaml'))
  await eventually(() => assert.equal(weight(), 1))
  await writeFile(join(outside, 'r.yaml'), route(2))
  await eventually(() => assert.equal(weight(), 2))
})

test('directory: a broken save keeps the last good version, says where, and is over with the next one', async (t) => {
  const { folder, source, weight, generation } = await started(t, { 'a.yaml': endpoint('a'), 'r.yaml': route(1) })
  const file = join(folder, 'r.yaml')
  await writeFile(file, route('-1'))
  await eventually(() => assert.equal(source.findings.length, 1))
  assert.deepEqual(source.findings[0], {
    object: 'ModelRoute default/chat',
    path: 'spec.rules[0].targets[0].weight',
    message: 'Invalid value: -1: should be greater than or equal to 0',
    at: `${file}:10`,
    kept: true,
  })
  assert.equal(weight(), 1)
  assert.equal(source.world().invalid.get('ModelRoute default/chat')?.generation, 2)

  await writeFile(file, `${route(1)}  broken: [`)
  await eventually(() => assert.match(source.findings[0]?.at ?? '', /r\.yaml:1[12]$/))
  assert.equal(weight(), 1)
  assert.equal(source.world().invalid.get('ModelRoute default/chat')?.problems[0]?.at, source.findings[0]?.at)

  await writeFile(file, route(5))
  await eventually(() => assert.equal(weight(), 5))
  assert.deepEqual([source.findings, source.world().invalid.size, generation()], [[], 0, 2])
})

test('directory: a bad manifest does not stop the others, and a file that goes takes its objects with it', async (t) => {
  const { folder, source } = await started(t, {
    'a.yaml': endpoint('a'),
    'r.yaml': route('none'),
    'b.yaml': endpoint('b'),
  })
  assert.deepEqual([...source.world().endpoints.keys()].sort(), ['default/a', 'default/b'])
  assert.equal(source.world().routes.size, 0)
  assert.equal(source.findings[0]?.kept, false)
  await unlink(join(folder, 'b.yaml'))
  await unlink(join(folder, 'r.yaml'))
  await eventually(() => assert.deepEqual([...source.world().endpoints.keys()], ['default/a']))
  assert.deepEqual([source.findings, source.world().invalid.size], [[], 0])
})

test('directory: an object that stands twice counts as it stands first', async (t) => {
  const { source, folder } = await started(t, {
    '1.yaml': endpoint('a', 'https://one/v1'),
    '2.yaml': endpoint('a', 'https://two/v1'),
  })
  assert.equal(source.world().endpoints.get('default/a')?.spec.address?.url, 'https://one/v1')
  const first = join(folder, '1.yaml')
  assert.deepEqual(
    source.findings.map(({ message, at }) => [message, at]),
    [[`ModelEndpoint default/a is at ${first}:2 too; that one is used.`, `${join(folder, '2.yaml')}:2`]],
  )
  await unlink(first)
  await eventually(() => assert.equal(source.world().endpoints.get('default/a')?.spec.address?.url, 'https://two/v1'))
})

const secret = (value: string) => `
apiVersion: v1
kind: Secret
metadata: { name: key, labels: { tradewind.dev/use: credentials } }
stringData: { api-key: "${value}" }
data: { other: aGVsbG8= }
`

test('directory: secrets take variables from the environment, and leave them there', async (t) => {
  const { source, folder } = await started(t, { 's.yaml': secret('Bearer-${KEY}-$${KEY}') }, { KEY: 'sesame' })
  assert.deepEqual(source.world().secrets.get('default/key')?.data, {
    'api-key': 'Bearer-sesame-${KEY}',
    other: 'hello',
  })
  assert.doesNotMatch(await readFile(join(folder, 's.yaml'), 'utf8'), /sesame/)
})

test('directory: a variable that is missing is named with its file, and only a name is a name', async (t) => {
  const { source, folder } = await started(
    t,
    { 's.yaml': secret('${NOT_SET} ${A-B}'), 'a.yaml': endpoint('a', '${X}') },
    { KEY: 'sesame' },
  )
  const at = `${join(folder, 's.yaml')}:5`
  const [name, ...others] = source.findings
  assert.match(name?.message ?? '', /must be absolute/, 'elsewhere than in a Secret it is no variable')
  assert.deepEqual(
    others.map((it) => [it.object, it.path, it.at, it.message]),
    [
      [
        'Secret default/key',
        'stringData.api-key',
        at,
        'The environment variable NOT_SET is not set; set it before the start.',
      ],
      [
        'Secret default/key',
        'stringData.api-key',
        at,
        '${A-B} does not name an environment variable; write $${ for a plain ${.',
      ],
    ],
  )
  assert.equal(source.world().secrets.size, 0)
})

test('directory: Services with their slices, and pods, are as the API server would have them', async (t) => {
  const slice = (name: string, ip: string) =>
    JSON.stringify({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { 'kubernetes.io/service-name': 's' } },
      addressType: 'IPv4',
      ports: [{ port: 8000 }],
      endpoints: [{ addresses: [ip] }],
    })
  const { source, folder } = await started(t, {
    'service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { ports: [{ port: 80 }] }\n',
    'one.json': slice('one', '10.0.0.1'),
    'two.json': slice('two', '10.0.0.2'),
    'pod.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: { name: p }\nstatus: { phase: Running, podIP: 10.0.0.3, conditions: [{ type: Ready, status: "True" }] }\n',
    'wrong.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: wrong }\nspec: { ports: 80 }\n',
  })
  const ips = () =>
    source
      .world()
      .slices.get('default/s')
      ?.flatMap(({ endpoints }) => endpoints.flatMap(({ addresses }) => addresses))
  assert.deepEqual(ips(), ['10.0.0.1', '10.0.0.2'])
  assert.deepEqual(source.world().services.get('default/s')?.ports, [{ name: '', port: 80 }])
  assert.deepEqual(source.world().pods.get('default/p')?.ips, ['10.0.0.3'])
  assert.deepEqual(
    source.findings.map(({ object, message }) => `${object}: ${message}`),
    ['Service default/wrong: It cannot be read as a Service.'],
  )
  await unlink(join(folder, 'one.json'))
  await eventually(() => assert.deepEqual(ips(), ['10.0.0.2']))
})

test('directory: a folder that is not there is an error at the start, and one that goes later keeps what was read', async (t) => {
  const gone: unknown[] = []
  const folder = folderOf(t)
  await assert.rejects(
    new DirectorySource(join(folder, 'nothing'), { environment: {} }).start(() => {}),
    { code: 'ENOENT' },
  )
  await mkdir(join(folder, 'there'))
  await writeFile(join(folder, 'there/a.yaml'), endpoint('a'))
  const source = new DirectorySource(join(folder, 'there'), {
    environment: {},
    unreadable: (error) => void gone.push(error),
  })
  await source.start(() => {})
  t.after(() => source.stop())
  await rename(join(folder, 'there'), join(folder, 'elsewhere'))
  await eventually(() => assert.ok(gone.length > 0))
  assert.ok(source.world().endpoints.has('default/a'))
  await rename(join(folder, 'elsewhere'), join(folder, 'there'))
  await writeFile(join(folder, 'there/b.yaml'), endpoint('b'))
  await eventually(() => assert.ok(source.world().endpoints.has('default/b')))
})
