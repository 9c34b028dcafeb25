import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { eventually } from '../helpers/eventually.ts'
import { needs } from '../helpers/needs.ts'
import { apiKey, apps, type Lab, readme, startLab, system } from './lab.ts'

const root = join(import.meta.dirname, '../..')
const release = ['tradewind', join(root, 'charts/tradewind'), '-n', system]
const slow = { within: 60_000, every: 250 }

// One cluster for all, in the order of a life: each test goes on where the one before it ended.
describe('Tradewind in a cluster', { skip: needs('cluster'), timeout: 600_000 }, () => {
  let lab: Lab
  const k: Lab['k'] = (...args) => lab.k(...args)
  const operator = async (...args: readonly string[]) => (await lab.kubectl(['-n', system, ...args])).trim()
  /** Names of the running pods of an app. */
  const podsOf = async (app: string) => {
    const names = await k('get', 'pods', '-l', `app=${app}`, '--field-selector=status.phase=Running', '-o', 'name')
    return names.split('\n').filter(Boolean)
  }
  const setWeights = (fast: number, strong: number) => {
    const patch = [fast, strong].map((value, i) => ({
      op: 'replace',
      path: `/spec/rules/0/targets/${i}/weight`,
      value,
    }))
    return k('patch', 'modelroute', 'support', '--type=json', '-p', JSON.stringify(patch))
  }
  /** Asserts that 400 requests are answered, and split so, within 4 points. */
  const assertSplit = async (fast: number, strong: number) => {
    const { failed, errors, byEndpoint } = await lab.askMany(400)
    assert.equal(failed, 0, errors.join('\n'))
    const share = (endpoint: string) => ((byEndpoint[`${apps}/${endpoint}`] ?? 0) / 400) * 100
    assert.ok(
      Math.abs(share('fast') - fast) <= 4 && Math.abs(share('strong') - strong) <= 4,
      JSON.stringify(byEndpoint),
    )
  }

  /** Makes the app's pod anew, and resolves with the name of its sidecar. */
  const sidecarOfNewPod = async (): Promise<string | undefined> => {
    await k('rollout', 'restart', 'deployment/support')
    await k('rollout', 'status', 'deployment/support', '--timeout=90s')
    return eventually(async () => {
      const { items } = JSON.parse(await k('get', 'pods', '-l', 'app=support', '-o', 'json'))
      assert.equal(items.length, 1)
      return items[0].spec.initContainers?.[0].name
    }, slow)
  }

  before(async () => {
    lab = await startLab()
  })
  after(() => lab?.stop())
  afterEach(async (t) => {
    if ('passed' in t && t.passed) return
    console.log(await lab.kubectl(['get', 'pods', '-A', '-o', 'wide']))
    console.log(await operator('logs', '-l', 'app.kubernetes.io/component=operator', '--tail=15', '--prefix'))
  })

  test("the README's commands install it, and `helm test` agrees", async () => {
    const [install = '', label = ''] = readme().commands
    assert.match(install, /^helm install tradewind charts\/tradewind /)
    const [, ...args] = install.replace('charts/tradewind', join(root, 'charts/tradewind')).split(' ')
    await lab.helm([...args, '--wait', '--timeout', '120s'])
    assert.equal(
      await operator('get', 'deployment', 'tradewind-operator', '-o', 'jsonpath={.status.readyReplicas}'),
      '2',
    )
    await lab.helm(['test', 'tradewind', '-n', system, '--timeout', '60s'])
    await lab.kubectl(['create', 'namespace', apps])
    assert.match(label, /^kubectl label namespace /)
    await lab.kubectl(label.split(' ').slice(1))
  })

  test('a Deployment of the labelled namespace gets a native sidecar', async () => {
    await lab.apply('workloads.yaml')
    await lab.kubectl(['apply', '-f', '-'], { input: readme().manifests })
    for (const name of ['fast-model', 'strong-model', 'support'])
      await k('rollout', 'status', `deployment/${name}`, '--timeout=60s')
    const [pod] = JSON.parse(await k('get', 'pods', '-l', 'app=support', '-o', 'json')).items
    const [sidecar] = pod.spec.initContainers
    assert.equal(sidecar.name, 'tradewind-sidecar')
    assert.equal(sidecar.restartPolicy, 'Always')
    assert.equal(pod.status.initContainerStatuses[0].ready, true)
    const [model] = JSON.parse(await k('get', 'pods', '-l', 'app=fast-model', '-o', 'json')).items
    assert.equal(model.spec.initContainers, undefined, 'a pod that says no has none')
  })

  test("the README's manifests are in force: requests are answered, and split 90 to 10", async () => {
    await lab.programmed('support', 1)
    const { ok, route, endpoint, error } = await lab.ask()
    assert.ok(ok, error)
    assert.equal(route, `${apps}/support`)
    assert.match(endpoint, /^ai\/(fast|strong)$/)
    assert.ok((await lab.ask('stream')).ok)
    await assertSplit(90, 10)
    assert.match(
      await k('get', 'modelroutes', 'support'),
      /NAME +MODELS +ACCEPTED +PROGRAMMED +SPLIT +FAULTS +ROLLOUT +AGE\nsupport +\["support-chat"\] +True +1\/1 +90% fast · 10% strong +\d/,
    )
  })

  test('an edit of the weights shifts the split, and none is lost', async () => {
    const { failed, errors } = await lab.underLoad(async () => {
      await setWeights(50, 50)
      await lab.programmed('support', 1)
    })
    assert.equal(failed, 0, errors.join('\n'))
    await assertSplit(50, 50)
  })

  test('more pods of the app: the status counts each', async () => {
    await k('scale', 'deployment/support', '--replicas=3')
    await lab.programmed('support', 3)
    await setWeights(60, 40)
    await lab.programmed('support', 3)
    assert.match(await k('get', 'modelroutes', 'support'), / 3\/3 +60% fast · 40% strong /)
    await k('scale', 'deployment/support', '--replicas=1')
    await setWeights(50, 50)
    await lab.programmed('support', 1)
  })

  test('an endpoint whose pods are killed and scaled: addresses follow, and none is lost', async () => {
    // Its breaker opens with so many failures; let it close soon.
    await k('patch', 'modelendpoint', 'fast', '--type=merge', '-p', '{"spec":{"circuitBreaker":{"openFor":"2s"}}}')
    const { failed, errors } = await lab.underLoad(async () => {
      await k('delete', 'pods', '-l', 'app=fast-model', '--grace-period=0', '--force')
      await k('rollout', 'status', 'deployment/fast-model', '--timeout=60s')
      await k('scale', 'deployment/strong-model', '--replicas=3')
      await k('rollout', 'status', 'deployment/strong-model', '--timeout=60s')
      await k('scale', 'deployment/fast-model', '--replicas=1')
      await k('rollout', 'status', 'deployment/fast-model', '--timeout=60s')
    })
    assert.equal(failed, 0, errors.join('\n'))
    for (const name of ['fast', 'strong']) {
      await eventually(async () => {
        const pods = ['pods', '-l', `app=${name}-model`, '--field-selector=status.phase=Running']
        const ips = (await k('get', ...pods, '-o', 'jsonpath={.items[*].status.podIP}')).split(' ')
        const { endpoints } = JSON.parse(await lab.app(['get', 'http://127.0.0.1:4142/endpoints']))
        const { addresses } = endpoints.find((it: { name: string }) => it.name === `${apps}/${name}`)
        const known = addresses.map(({ address }: { address: string }) => address.replace(/:\d+$/, ''))
        assert.deepEqual(known.sort(), ips.sort())
      }, slow)
    }
    // Real requests are its probes.
    await eventually(async () => {
      assert.equal((await lab.askMany(40)).failed, 0)
      assert.equal((await lab.status('modelendpoint', 'fast')).conditions['Healthy']?.status, 'True')
    }, slow)
    await assertSplit(50, 50)
  })

  test('the operator is upgraded to an image by its digest, then killed, while requests and edits go on: none is lost', async () => {
    const { failed, errors } = await lab.underLoad(async () => {
      const digest = lab.images['operator']?.digest
      await lab.helm(['upgrade', ...release, '--reuse-values', '--set', `operator.image.digest=${digest}`, '--wait'])
      await operator('delete', 'pods', '-l', 'app.kubernetes.io/component=operator', '--grace-period=0', '--force')
      await setWeights(80, 20)
      await operator('rollout', 'status', 'deployment/tradewind-operator', '--timeout=90s')
      await lab.programmed('support', 1)
    })
    assert.equal(failed, 0, errors.join('\n'))
    await assertSplit(80, 20)
  })

  test('a sidecar that is killed while no operator is there comes back, and serves what it served', async () => {
    await operator('scale', 'deployment/tradewind-operator', '--replicas=0')
    await operator('wait', '--for=delete', 'pods', '-l', 'app.kubernetes.io/component=operator', '--timeout=60s')
    try {
      const container = async () =>
        JSON.parse(await k('get', (await podsOf('support'))[0] ?? '', '-o', 'json')).status.initContainerStatuses[0]
      const { containerID } = await container()
      await lab.run('ctr', ['-n', 'k8s.io', 'tasks', 'kill', '-s', 'KILL', containerID.replace('containerd://', '')])
      await eventually(async () => {
        const { restartCount, ready } = await container()
        assert.deepEqual({ restartCount, ready }, { restartCount: 1, ready: true })
      }, slow)
      await assertSplit(80, 20)
    } finally {
      await operator('scale', 'deployment/tradewind-operator', '--replicas=2')
      await operator('rollout', 'status', 'deployment/tradewind-operator', '--timeout=90s')
    }
    await lab.programmed('support', 1)
  })

  test('a pod that is drained in the middle of a stream reads it to its end', async () => {
    await lab.apply('streamer.yaml')
    await eventually(async () => assert.match(await k('logs', 'streamer', '-c', 'app'), /asking/), slow)
    const log = k('logs', '-f', 'streamer', '-c', 'app')
    await lab.kubectl([
      'drain',
      'node',
      '--pod-selector=app=streamer',
      '--force',
      '--delete-emptydir-data',
      '--timeout=60s',
    ])
    await lab.kubectl(['uncordon', 'node'])
    const [, told, last = ''] = (await log).split('\n')
    assert.equal(told, 'told to end')
    const { ok, error, text } = JSON.parse(last)
    assert.ok(ok, error)
    assert.equal(text.trim().split(/\s+/).length, 50)
  })

  test('a Job with a sidecar completes', async () => {
    await lab.apply('job.yaml')
    await k('wait', '--for=condition=Complete', 'job/ask-once', '--timeout=60s')
    assert.equal(JSON.parse(await k('logs', 'job/ask-once', '-c', 'app')).ok, true)
  })

  test('`tradewind status` tells the same from a kubeconfig', async () => {
    await operator('create', 'serviceaccount', 'viewer')
    const viewer = `--serviceaccount=${system}:viewer`
    await lab.kubectl(['create', 'clusterrolebinding', 'viewer', '--clusterrole=cluster-admin', viewer])
    const kubeconfig = join(lab.directory, 'viewer.conf')
    const config = JSON.parse(await lab.kubectl(['config', 'view', '--raw', '-o', 'json']))
    const token = await operator('create', 'token', 'viewer')
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ name: 'u', user: { token } }] }))
    const status = [join(root, 'cli/main.ts'), 'status', '-n', apps, '-o', 'json']
    const [pod = ''] = await podsOf('support')
    // By a token the operator is asked, by the administrator's certificate the sidecars themselves. All is well: it exits with 0.
    for (const how of [['--kubeconfig', kubeconfig], []]) {
      await eventually(async () => {
        const { routes, sidecars } = JSON.parse(await lab.run(process.execPath, [...status, ...how]))
        const support = routes.find((it: { name: string }) => it.name === `${apps}/support`)
        assert.equal(support.status.programmed, '1/1')
        const sidecar = sidecars.find((it: { pod: string }) => it.pod === pod.replace('pod', apps))
        assert.equal(sidecar.connected, true)
      }, slow)
    }
    await lab.kubectl(['delete', 'clusterrolebinding', 'viewer'])
    await operator('delete', 'serviceaccount', 'viewer')
  })

  test('no log, dump or metric has a credential in it', async () => {
    const texts = [
      await operator('logs', '-l', 'app.kubernetes.io/component=operator', '--tail=-1'),
      await k('logs', 'deployment/support', '-c', 'tradewind-sidecar', '--tail=-1'),
      await k('logs', 'deployment/support', '-c', 'tradewind-sidecar', '--previous', '--tail=-1'),
      await lab.app(['get', 'http://127.0.0.1:4142/config']),
      await lab.app(['get', 'http://127.0.0.1:4143/metrics']),
    ]
    for (const text of texts) {
      assert.ok(text.length > 100, text)
      assert.ok(!text.includes(apiKey), 'the key of a model server')
      assert.doesNotMatch(text, /eyJ[\w-]{10,}\.eyJ/, "a ServiceAccount's token")
    }
  })

  test('uninstall leaves nothing but the definitions, and running pods go on', async () => {
    await lab.helm(['uninstall', 'tradewind', '-n', system, '--wait', '--timeout', '120s'])
    const kinds = (await lab.kubectl(['api-resources', '--verbs=list,delete', '-o', 'name'])).trim().split('\n')
    const ours = async () => {
      const lists = await lab.kubectl([
        'get',
        kinds.filter((kind) => !kind.startsWith('events')).join(','),
        '-A',
        '-o',
        'json',
      ])
      const objects: { kind: string; metadata: { name: string; namespace?: string } }[] = JSON.parse(lists).items
      return objects
        .filter(
          ({ metadata: { namespace, ...metadata } }) =>
            /tradewind/.test(JSON.stringify(metadata)) || namespace === system,
        )
        .map(({ kind, metadata: { namespace, name } }) => `${kind} ${namespace ?? ''}/${name}`)
        .filter((object) => !left.some((pattern) => pattern.test(object)))
    }
    // The definitions with what the API server makes of them, the user's own, injected pods, and what every namespace has.
    const left = [
      /^(CustomResourceDefinition \/(modelroutes|modelendpoints)|APIService \/v1alpha1)\.tradewind\.dev$/,
      new RegExp(`^(ModelRoute|ModelEndpoint|Pod|Deployment|ReplicaSet|Job|Secret|PodMetrics) ${apps}/`),
      new RegExp(`^Namespace /(${apps}|${system})$`),
      new RegExp(`^(ConfigMap ${system}/kube-root-ca.crt|ServiceAccount ${system}/default)$`),
    ]
    await eventually(async () => assert.deepEqual(await ours(), []), slow)
    assert.ok((await lab.ask()).ok)

    assert.equal(await sidecarOfNewPod(), undefined, 'new pods start without')
  })

  test('with watchNamespaces it serves those without a cluster-wide right', async () => {
    await lab.helm(['install', ...release, '--set', `watchNamespaces={${apps}}`, '--wait', '--timeout', '120s'])
    assert.equal(
      await lab.kubectl(['get', 'clusterroles,clusterrolebindings', '-l', 'app.kubernetes.io/name=tradewind']),
      '',
    )
    assert.equal(await sidecarOfNewPod(), 'tradewind-sidecar')
    await lab.programmed('support', 1)
    assert.ok((await lab.ask()).ok)
  })
})
