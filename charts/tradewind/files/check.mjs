// Run by `helm test`: asks the injection webhook, through its Service, for a sidecar; and opens the push port.
import https from 'node:https'
import tls from 'node:tls'

const { HOST, IMAGE } = process.env
// The API server checks the certificate; here it is the answer that matters.
const untrusted = { host: HOST, servername: HOST, rejectUnauthorized: false }

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'check', namespace: 'default', labels: { 'tradewind.dev/inject': 'true' } },
  spec: { containers: [{ name: 'app', image: 'app' }] },
}
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'check',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    resource: { group: '', version: 'v1', resource: 'pods' },
    namespace: process.env.NAMESPACE,
    operation: 'CREATE',
    dryRun: true,
    object: pod,
    userInfo: {},
  },
}
const answer = await new Promise((resolve, reject) => {
  const headers = { 'content-type': 'application/json' }
  const request = https.request({ ...untrusted, port: 9443, path: '/inject', method: 'POST', headers }, (response) => {
    response
      .setEncoding('utf8')
      .toArray()
      .then((parts) => resolve(JSON.parse(parts.join(''))), reject)
  })
  request.on('error', reject).end(JSON.stringify(review))
})
const patch = Buffer.from(answer.response.patch ?? '', 'base64').toString()
if (!answer.response.allowed || !patch.includes(JSON.stringify(IMAGE))) {
  throw new Error(`the injection webhook gave no sidecar ${IMAGE}: ${JSON.stringify(answer.response)} ${patch}`)
}
console.log(`the injection webhook gives pods the sidecar ${IMAGE}`)

await new Promise((resolve, reject) => {
  const socket = tls.connect({ ...untrusted, port: 8443 }, () => resolve(socket.destroy()))
  socket.on('error', reject)
})
console.log('the push port takes connections')
