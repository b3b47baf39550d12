/** Versions, conditions, listings and batches: what a program does with objects beside writing and reading them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  waitUntilObjectExists,
} from '@aws-sdk/client-s3';

import { MODES, body, get, makeBucket, reading, s3 } from './around.js';

async function makeVersioned() {
  const bucket = await makeBucket();
  const VersioningConfiguration = { Status: 'Enabled' };
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  return bucket;
}

test('each version keeps its mode and opens by its id', async () => {
  const bucket = await makeVersioned();
  const written = [];
  for (const [mode, { asked }] of Object.entries(MODES)) {
    const put = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100) + mode, ...asked }));
    written.push([mode, put.VersionId]);
  }

  for (const [mode, VersionId] of written) {
    const got = await get(bucket, 'key', { VersionId, ...reading(mode) });

    assert.equal(got.bytes.toString(), body(100) + mode);
    assert.equal(got.ServerSideEncryption, MODES[mode].asked.ServerSideEncryption);
  }
});

test('a deleted object comes back', async () => {
  const bucket = await makeVersioned();
  const at = { Bucket: bucket, Key: 'key' };
  await s3.send(new PutObjectCommand({ ...at, Body: 'kept' }));

  const marker = await s3.send(new DeleteObjectCommand(at));
  await assert.rejects(get(bucket, 'key'), { name: 'NoSuchKey' });
  const { Versions, DeleteMarkers } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket }));
  await s3.send(new DeleteObjectCommand({ ...at, VersionId: marker.VersionId }));

  assert.deepEqual([Versions.length, DeleteMarkers.length, marker.DeleteMarker], [1, 1, true]);
  assert.equal((await get(bucket, 'key')).bytes.toString(), 'kept');
});

test('conditional writes hold', async () => {
  const bucket = await makeBucket();
  const put = (Body, condition) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body, ...condition }));
  const first = await put('1', { IfNoneMatch: '*' });

  await assert.rejects(put('2', { IfNoneMatch: '*' }), { name: 'PreconditionFailed' });
  await put('2', { IfMatch: first.ETag });
  await assert.rejects(put('3', { IfMatch: first.ETag }), { name: 'PreconditionFailed' });

  assert.equal((await get(bucket, 'key')).bytes.toString(), '2');
});

test('pages join, and a batch deletes', async () => {
  const bucket = await makeBucket();
  const names = Array.from({ length: 12 }, (_, index) => `dir/key-${String(index).padStart(2, '0')} +ü`);
  await Promise.all(names.map((Key) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: '' }))));

  const listed = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 5 }, { Bucket: bucket, Prefix: 'dir/' })) {
    listed.push(...page.Contents.map((object) => object.Key));
  }
  const Delete = { Objects: names.map((Key) => ({ Key })) };
  const { Deleted, Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));

  assert.deepEqual(listed, names);
  assert.deepEqual(Deleted.map((object) => object.Key).sort(), names);
  assert.deepEqual(Errors, []);
});

test('metadata comes back, and a waiter sees the object', async () => {
  const bucket = await makeBucket();
  const headers = { ContentType: 'text/plain', CacheControl: 'no-cache', ContentLanguage: 'de' };
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '', Metadata: { plain: 'a value' }, ...headers }));

  const seen = await waitUntilObjectExists({ client: s3, maxWaitTime: 10 }, { Bucket: bucket, Key: 'key' });
  const got = await get(bucket, 'key');

  assert.equal(seen.state, 'SUCCESS');
  assert.deepEqual(got.Metadata, { plain: 'a value' });
  assert.deepEqual(Object.fromEntries(Object.keys(headers).map((name) => [name, got[name]])), headers);
});
