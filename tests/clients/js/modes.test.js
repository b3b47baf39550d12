/** Each mode of encryption: round trips, ranges, and copies from every mode to every other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CopyObjectCommand, HeadObjectCommand, PutBucketEncryptionCommand, PutObjectCommand } from '@aws-sdk/client-s3';

import { KMS_KEY, MODES, assertSealed, body, get, makeBucket, md5, ofSource, reading, s3, stored } from './around.js';

for (const [mode, { asked }] of Object.entries(MODES)) {
  for (const size of [0, 1, 5_000, 300_000]) {
    test(`${mode}: ${size} bytes read back`, async () => {
      const bucket = await makeBucket();

      const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(size), ...asked }));
      const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key', ...reading(mode) }));

      await assertSealed(bucket, 'key', mode, body(size));
      assert.equal(head.ContentLength, size);
      for (const answer of [put, head]) {
        assert.equal(answer.ServerSideEncryption, asked.ServerSideEncryption);
        assert.equal(answer.SSEKMSKeyId, asked.SSEKMSKeyId);
        assert.equal(answer.BucketKeyEnabled, asked.BucketKeyEnabled);
        assert.equal(answer.SSECustomerKeyMD5, asked.SSECustomerKey && md5(asked.SSECustomerKey));
      }
      const digest = `"${Buffer.from(md5(body(size)), 'base64').toString('hex')}"`;
      assert.equal(put.ETag === digest, mode === 'sse-s3');
    });
  }

  test(`${mode}: ranges are those of the plaintext`, async () => {
    const bucket = await makeBucket();
    const whole = body(200_000);
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: whole, ...asked }));

    for (const [range, first, last] of [
      ['bytes=0-0', 0, 0],
      ['bytes=65530-65545', 65_530, 65_545],
      ['bytes=131000-', 131_000, 199_999],
      ['bytes=-7', 199_993, 199_999],
    ]) {
      const got = await get(bucket, 'key', { Range: range, ...reading(mode) });

      assert.deepEqual(got.bytes, whole.subarray(first, last + 1));
      assert.equal(got.ContentRange, `bytes ${first}-${last}/200000`);
    }
  });

  test(`${mode}: copies go to every mode`, async () => {
    const bucket = await makeBucket();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'source', Body: body(70_000), ...asked }));

    for (const [target, { asked: wanted }] of Object.entries(MODES)) {
      const from = { CopySource: `${bucket}/source`, ...ofSource(mode) };
      await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: target, ...from, ...wanted }));

      await assertSealed(bucket, target, target, body(70_000));
    }
  });
}

test('a default of the bucket encrypts what asks for nothing', async () => {
  const bucket = await makeBucket();
  const byDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KMS_KEY };
  const rules = { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: true }] };
  await s3.send(new PutBucketEncryptionCommand({ Bucket: bucket, ServerSideEncryptionConfiguration: rules }));

  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100) }));

  await assertSealed(bucket, 'key', 'bucket-key', body(100));
});

test('nothing asked for is SSE-S3', async () => {
  const bucket = await makeBucket();

  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100) }));

  assert.equal((await stored(bucket, 'key')).mode, 'SSE-S3');
  assert.equal((await get(bucket, 'key')).ServerSideEncryption, 'AES256');
});
