/** Checksums on both sides: in a header, and behind a stream whose end nobody knows ahead. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

import { MODES, body, get, makeBucket, reading, s3 } from './around.js';

const sha256 = createHash('sha256').update(body(70_000)).digest('base64');

test('without a wish it is CRC32', async () => {
  const at = { Bucket: await makeBucket(), Key: 'key' };

  const put = await s3.send(new PutObjectCommand({ ...at, Body: '123456789' }));
  const head = await s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }));

  // Source: the check value of CRC-32/ISO-HDLC.
  assert.equal(put.ChecksumCRC32, Buffer.from('cbf43926', 'hex').toString('base64'));
  assert.equal(head.ChecksumCRC32, put.ChecksumCRC32);
  assert.equal(head.ChecksumType, 'FULL_OBJECT');
});

for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
  test(`${algorithm}: it is verified on both sides`, async () => {
    const bucket = await makeBucket();
    const at = { Bucket: bucket, Key: 'key' };

    const put = await s3.send(new PutObjectCommand({ ...at, Body: body(70_000), ChecksumAlgorithm: algorithm }));
    const got = await get(bucket, 'key', { ChecksumMode: 'ENABLED' });

    assert.ok(put[`Checksum${algorithm}`]);
    assert.equal(got[`Checksum${algorithm}`], put[`Checksum${algorithm}`]);
    assert.deepEqual(got.bytes, body(70_000));
  });

  test(`${algorithm}: a wrong one stores nothing`, async () => {
    const at = { Bucket: await makeBucket(), Key: 'key' };
    const bytes = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 }[algorithm];
    const wrong = { [`Checksum${algorithm}`]: Buffer.alloc(bytes).toString('base64') };

    await assert.rejects(s3.send(new PutObjectCommand({ ...at, Body: body(100), ...wrong })), { name: 'BadDigest' });

    await assert.rejects(s3.send(new HeadObjectCommand(at)), { name: 'NotFound' });
  });
}

for (const [mode, { asked }] of Object.entries(MODES)) {
  test(`${mode}: a stream is followed by its checksum`, async () => {
    const bucket = await makeBucket();
    const stream = Readable.from([body(70_000).subarray(0, 9_000), body(70_000).subarray(9_000)]);
    const sent = { Body: stream, ContentLength: 70_000, ChecksumAlgorithm: 'SHA256' };

    const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', ...sent, ...asked }));
    const got = await get(bucket, 'key', { ChecksumMode: 'ENABLED', ...reading(mode) });

    assert.deepEqual(got.bytes, body(70_000));
    assert.deepEqual([put.ChecksumSHA256, got.ChecksumSHA256], [sha256, sha256]);
  });
}

test('a stream of small pieces is refused, as AWS does, and gathered where the client is told to', async () => {
  const bucket = await makeBucket();
  const pieces = () => Readable.from([body(70_000).subarray(0, 9), body(70_000).subarray(9)]);
  const put = (client) => client.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: pieces(), ContentLength: 70_000 }));

  await assert.rejects(put(s3), { name: 'InvalidChunkSizeError' });
  await put(new S3Client({ requestStreamBufferSize: 65_536 }));

  assert.deepEqual((await get(bucket, 'key')).bytes, body(70_000));
});

test('a client that computes none by itself gets one all the same', async () => {
  const bucket = await makeBucket();
  const bare = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' });

  await bare.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100) }));

  const got = await get(bucket, 'key', { ChecksumMode: 'ENABLED' });
  assert.ok(got.ChecksumCRC64NVME);
  assert.deepEqual(got.bytes, body(100));
});
