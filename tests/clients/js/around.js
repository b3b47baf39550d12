/**
 * What the tests share: clients that take all their settings from the environment, as `strongroom env` prints it, the modes of
 * encryption, and a look at how an object lies in the store.
 */

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';

import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';

export const ENDPOINT = process.env.AWS_ENDPOINT_URL;

export const s3 = new S3Client({});
export const kms = new KMSClient({});

/** Both are looked for on the disk and in the log once all tests are over. */
export const KEY = Buffer.from("a customer's own key of 32 bytes");
const MARKER = 'a marker that must not lie in the clear';

export const KMS_KEY = (await kms.send(new CreateKeyCommand({}))).KeyMetadata.Arn;

const CUSTOMERS = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY };

/** What an upload asks for, and how its mode is called where it is stored. */
export const MODES = {
  'sse-s3': { asked: { ServerSideEncryption: 'AES256' }, stored: 'SSE-S3' },
  'sse-kms': { asked: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY }, stored: 'SSE-KMS' },
  'bucket-key': { asked: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY, BucketKeyEnabled: true }, stored: 'SSE-KMS' },
  'dsse-kms': { asked: { ServerSideEncryption: 'aws:kms:dsse', SSEKMSKeyId: KMS_KEY }, stored: 'DSSE-KMS' },
  'sse-c': { asked: CUSTOMERS, stored: 'SSE-C' },
};

/** What a read of a mode, or of a part of an upload, brings. */
export function reading(mode) {
  return mode === 'sse-c' ? CUSTOMERS : {};
}

/** What a copy from a mode brings for its source. */
export function ofSource(mode) {
  const pairs = Object.entries(reading(mode));
  return Object.fromEntries(pairs.map(([name, value]) => [`CopySource${name}`, value]));
}

/** A body of this size that holds the marker wherever it is looked at, where it has room for it. */
export function body(size) {
  return Buffer.alloc(size, MARKER);
}

/** A bucket of the test's own. */
export async function makeBucket() {
  const name = `js-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  return name;
}

export async function get(bucket, key, more = {}) {
  const got = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...more }));
  return { ...got, bytes: Buffer.from(await got.Body.transformToByteArray()) };
}

/** The facts of an object's storage: mode, wrapped keys, blobs. */
export async function stored(bucket, key) {
  const answer = await fetch(`${ENDPOINT}/_emulator/stored?${new URLSearchParams({ bucket, key })}`);
  assert.equal(answer.status, 200);
  return answer.json();
}

/** Asserts that an object lies at rest as a mode wants it, and reads back. */
export async function assertSealed(bucket, key, mode, expected) {
  const facts = await stored(bucket, key);
  const { asked, stored: name } = MODES[mode];
  assert.equal(facts.mode, name);
  assert.equal(facts.kms_key_arn, asked.SSEKMSKeyId ?? null);
  assert.equal(facts.bucket_key !== null, asked.BucketKeyEnabled ?? false);
  const got = await get(bucket, key, reading(mode));
  assert.deepEqual(got.bytes, expected);
  assert.equal(got.ServerSideEncryption, asked.ServerSideEncryption);
  return facts;
}

export function md5(bytes) {
  return createHash('md5').update(bytes).digest('base64');
}
