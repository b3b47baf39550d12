/** Presigned URLs and forms, sent by `fetch` as a browser would, in each mode. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

import { KEY, MODES, assertSealed, body, get, makeBucket, md5, reading, s3 } from './around.js';

const SSE = 'x-amz-server-side-encryption';
const CUSTOMERS = {
  [`${SSE}-customer-algorithm`]: 'AES256',
  [`${SSE}-customer-key`]: KEY.toString('base64'),
  [`${SSE}-customer-key-md5`]: md5(KEY),
};

/** The headers that have to be sent, since the signature holds them: the SDK leaves those of encryption out of the URL. */
function headersOf(mode) {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: key, BucketKeyEnabled: isBucketKey } = MODES[mode].asked;
  if (mode === 'sse-c') {
    return CUSTOMERS;
  }
  return {
    [SSE]: algorithm,
    ...(key && { [`${SSE}-aws-kms-key-id`]: key }),
    ...(isBucketKey && { [`${SSE}-bucket-key-enabled`]: 'true' }),
  };
}

/** A form's fields, then its file. */
function formOf(fields, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value);
  }
  form.append('file', new Blob([file]), 'file');
  return form;
}

for (const [mode, { asked }] of Object.entries(MODES)) {
  test(`${mode}: a signed PUT and a signed GET`, async () => {
    const bucket = await makeBucket();
    const at = { Bucket: bucket, Key: 'a key/with spaces+and ü' };
    const [writing, opening] = [headersOf(mode), mode === 'sse-c' ? CUSTOMERS : {}];

    const put = await fetch(await getSignedUrl(s3, new PutObjectCommand({ ...at, ...asked })), {
      method: 'PUT',
      headers: writing,
      body: body(90_000),
    });
    const got = await fetch(await getSignedUrl(s3, new GetObjectCommand({ ...at, ...reading(mode) })), { headers: opening });

    assert.equal(put.status, 200, await put.text());
    assert.equal(got.status, 200);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), body(90_000));
    await assertSealed(bucket, at.Key, mode, body(90_000));
  });

  test(`${mode}: a signed GET of a range`, async () => {
    const bucket = await makeBucket();
    const at = { Bucket: bucket, Key: 'key' };
    const opening = mode === 'sse-c' ? CUSTOMERS : {};
    await s3.send(new PutObjectCommand({ ...at, Body: body(90_000), ...asked }));

    const url = await getSignedUrl(s3, new GetObjectCommand({ ...at, ...reading(mode) }));
    const got = await fetch(url, { headers: { ...opening, range: 'bytes=65530-65545' } });

    assert.equal(got.status, 206);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), body(90_000).subarray(65_530, 65_546));
  });

  test(`${mode}: a form`, async () => {
    const bucket = await makeBucket();
    const Fields = headersOf(mode);
    const Conditions = [['content-length-range', 1, 100_000]];

    const { url, fields } = await createPresignedPost(s3, { Bucket: bucket, Key: 'form/${filename}', Fields, Conditions });
    const sent = await fetch(url, { method: 'POST', body: formOf(fields, body(90_000)) });

    assert.equal(sent.status, 204, await sent.text());
    await assertSealed(bucket, 'form/file', mode, body(90_000));
  });
}

test('encryption that stands in the URL itself needs no header', async () => {
  const bucket = await makeBucket();
  const command = new PutObjectCommand({ Bucket: bucket, Key: 'key', ...MODES['sse-kms'].asked });
  const hoistableHeaders = new Set(Object.keys(headersOf('sse-kms')));

  const url = await getSignedUrl(s3, command, { hoistableHeaders });
  const put = await fetch(url, { method: 'PUT', body: body(100) });

  assert.ok(url.includes(`${SSE}=aws%3Akms`));

  assert.equal(put.status, 200, await put.text());
  await assertSealed(bucket, 'key', 'sse-kms', body(100));
});

test('another key, a late hour and a header too many are refused', async () => {
  const at = { Bucket: await makeBucket(), Key: 'key' };
  await s3.send(new PutObjectCommand({ ...at, Body: body(100) }));
  const command = new GetObjectCommand(at);
  const anHourAgo = new Date(Date.now() - 3_600_000);
  const wanted = headersOf('sse-kms');

  const bent = await fetch((await getSignedUrl(s3, command)).replace('/key?', '/other?'));
  const late = await fetch(await getSignedUrl(s3, command, { expiresIn: 60, signingDate: anHourAgo }));
  const unsigned = await fetch(await getSignedUrl(s3, new PutObjectCommand(at)), { method: 'PUT', headers: wanted, body: 'x' });

  for (const [answer, text] of [
    [bent, 'SignatureDoesNotMatch'],
    [late, 'Request has expired'],
    [unsigned, 'HeadersNotSigned'],
  ]) {
    assert.equal(answer.status, 403);
    assert.ok((await answer.text()).includes(text), text);
  }
  assert.deepEqual((await get(at.Bucket, at.Key)).bytes, body(100));
});

test('a form that is too large is refused', async () => {
  const bucket = await makeBucket();
  const Conditions = [['content-length-range', 1, 9]];

  const { url, fields } = await createPresignedPost(s3, { Bucket: bucket, Key: 'key', Conditions });
  const sent = await fetch(url, { method: 'POST', body: formOf(fields, body(10)) });

  assert.equal(sent.status, 400);
  assert.match(await sent.text(), /<Code>EntityTooLarge<\/Code>/);
});
