/** Uploads in parts, as lib-storage makes them of bodies and of streams, in each mode. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

import { MODES, assertSealed, body, get, makeBucket, ofSource, reading, s3 } from './around.js';

const MIB = 1024 * 1024;

/** In pieces that fit no part. */
function stream(bytes) {
  const starts = Array.from({ length: Math.ceil(bytes.length / 100_000) }, (_, index) => index * 100_000);
  return Readable.from(starts.map((start) => bytes.subarray(start, start + 100_000)));
}

for (const [mode, { asked }] of Object.entries(MODES)) {
  test(`${mode}: a stream goes up in parts and reads back`, async () => {
    const bucket = await makeBucket();
    const whole = body(12 * MIB + 1);
    const params = { Bucket: bucket, Key: 'key', Body: stream(whole), ...asked };

    const done = await new Upload({ client: s3, params, partSize: 5 * MIB, queueSize: 3 }).done();

    const { blobs } = await assertSealed(bucket, 'key', mode, whole);
    assert.deepEqual(blobs.map((blob) => [blob.part_number, blob.size_bytes]), [[1, 5 * MIB], [2, 5 * MIB], [3, 2 * MIB + 1]]);
    assert.match(done.ETag, /-3"$/);
  });

  test(`${mode}: parts are read one by one, and ranges across them`, async () => {
    const bucket = await makeBucket();
    const whole = body(11 * MIB);
    const params = { Bucket: bucket, Key: 'key', Body: whole, ...asked };
    await new Upload({ client: s3, params, partSize: 5 * MIB }).done();

    const last = await get(bucket, 'key', { PartNumber: 3, ...reading(mode) });
    const across = await get(bucket, 'key', { Range: `bytes=${5 * MIB - 3}-${5 * MIB + 2}`, ...reading(mode) });

    assert.deepEqual(last.bytes, whole.subarray(10 * MIB));
    assert.equal(last.PartsCount, 3);
    assert.deepEqual(across.bytes, whole.subarray(5 * MIB - 3, 5 * MIB + 3));
  });

  test(`${mode}: a part is copied from a range of an object`, async () => {
    const bucket = await makeBucket();
    const at = { Bucket: bucket, Key: 'copy' };
    const whole = body(6 * MIB);
    await new Upload({ client: s3, params: { Bucket: bucket, Key: 'source', Body: whole, ...asked } }).done();

    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...asked }));
    const from = { CopySource: `${bucket}/source`, CopySourceRange: `bytes=9-${5 * MIB + 8}`, ...ofSource(mode) };
    const copied = await s3.send(new UploadPartCopyCommand({ ...at, UploadId, PartNumber: 1, ...from, ...reading(mode) }));
    const sent = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 2, Body: 'the end', ...reading(mode) }));
    const Parts = [
      { PartNumber: 1, ETag: copied.CopyPartResult.ETag, ChecksumCRC32: copied.CopyPartResult.ChecksumCRC32 },
      { PartNumber: 2, ETag: sent.ETag },
    ];
    await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts }, ...reading(mode) }));

    await assertSealed(bucket, 'copy', mode, Buffer.concat([whole.subarray(9, 5 * MIB + 9), Buffer.from('the end')]));
  });
}

test('an upload that fails midway is given up', async () => {
  const bucket = await makeBucket();
  async function* broken() {
    yield body(6 * MIB);
    throw new Error('the source broke');
  }

  const params = { Bucket: bucket, Key: 'key', Body: Readable.from(broken()) };
  await assert.rejects(new Upload({ client: s3, params }).done(), /the source broke/);

  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  assert.deepEqual(Uploads, []);
});

test('an aborted upload is gone', async () => {
  const at = { Bucket: await makeBucket(), Key: 'key' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));

  await s3.send(new AbortMultipartUploadCommand({ ...at, UploadId }));

  const late = s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'late' }));
  await assert.rejects(late, { name: 'NoSuchUpload' });
});
