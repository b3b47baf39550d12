/** Virtual hosts, and HTTP/2: the same objects under other names and over another protocol. */

import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { test } from 'node:test';

import { GetObjectCommand, HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';

import { ENDPOINT, MODES, assertSealed, body, makeBucket, reading, s3 } from './around.js';

const { protocol, port } = new URL(ENDPOINT);

/** Every name is this machine's, as a resolver with a wildcard would say. */
function lookup(_name, options, done) {
  return options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
}

function clientOf(host) {
  const [httpAgent, httpsAgent] = [new http.Agent({ lookup }), new https.Agent({ lookup })];
  return new S3Client({
    endpoint: `${protocol}//${host}:${port}`,
    forcePathStyle: false,
    requestHandler: new NodeHttpHandler({ httpAgent, httpsAgent }),
  });
}

/** Asks over HTTP/2, which a TLS handshake has to agree on. */
async function overHttp2(url) {
  const session = http2.connect(url);
  const { pathname, search } = new URL(url);
  const stream = session.request({ ':path': pathname + search });
  const pieces = [];
  let status;
  stream.on('response', (headers) => {
    status = headers[':status'];
  });
  for await (const piece of stream) {
    pieces.push(piece);
  }
  const { alpnProtocol } = session;
  session.close();
  return { status, alpnProtocol, bytes: Buffer.concat(pieces) };
}

for (const host of ['localhost', 's3.localhost', 's3.localhost.localstack.cloud', 's3.eu-west-1.localhost.localstack.cloud']) {
  test(`a bucket is a host below ${host}`, async () => {
    const bucket = await makeBucket();
    const client = clientOf(host);
    const hosts = [];
    client.middlewareStack.add((next) => (args) => hosts.push(args.request.hostname) && next(args), { step: 'finalizeRequest' });

    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    for (const [mode, { asked }] of Object.entries(MODES)) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `a/${mode}`, Body: body(5_000), ...asked }));
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `a/${mode}`, ...reading(mode) }));

      assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body(5_000));
      await assertSealed(bucket, `a/${mode}`, mode, body(5_000));
    }
    assert.deepEqual(new Set(hosts), new Set([`${bucket}.${host}`]));
  });
}

test('a URL that was signed for a virtual host is good', async () => {
  const bucket = await makeBucket();
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100) }));

  const url = new URL(await getSignedUrl(clientOf('s3.localhost'), new GetObjectCommand({ Bucket: bucket, Key: 'key' })));
  const get = protocol === 'https:' ? https.get : http.get;
  const answer = await new Promise((resolve, reject) => get(url, { lookup }, resolve).on('error', reject));
  const bytes = Buffer.concat(await answer.toArray());

  assert.equal(url.hostname, `${bucket}.s3.localhost`);
  assert.deepEqual([answer.statusCode, bytes], [200, body(100)]);
});

for (const [mode, { asked }] of Object.entries(MODES)) {
  test(`${mode}: the SDK over HTTP/2`, async () => {
    const bucket = await makeBucket();
    const client = new S3Client({ requestHandler: new NodeHttp2Handler() });

    await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(300_000), ...asked }));
    const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'key', ...reading(mode) }));

    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body(300_000));
    await assertSealed(bucket, 'key', mode, body(300_000));
    client.destroy();
  });
}

test('HTTP/2 is agreed on by ALPN', async () => {
  const bucket = await makeBucket();
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(300_000) }));

  const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: 'key' }));
  const { status, alpnProtocol, bytes } = await overHttp2(url);

  assert.deepEqual([status, alpnProtocol], [200, protocol === 'https:' ? 'h2' : 'h2c']);
  assert.deepEqual(bytes, body(300_000));
});
