/** Refusals by the names and classes under which a program catches them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

import { KEY, MODES, body, get, kms, makeBucket, s3 } from './around.js';

/** The error that a call ends with. */
async function refusal(call) {
  const [settled] = await Promise.allSettled([call]);
  assert.equal(settled.status, 'rejected');
  return settled.reason;
}

function told(error) {
  return [error.$metadata.httpStatusCode, error.name];
}

test('what is not there has classes of its own', async () => {
  const bucket = await makeBucket();
  const at = { Bucket: bucket, Key: 'none' };
  const nowhere = { Bucket: 'js-no-such-bucket', Key: 'none' };

  const [key, head, place] = [
    await refusal(s3.send(new GetObjectCommand(at))),
    await refusal(s3.send(new HeadObjectCommand(at))),
    await refusal(s3.send(new PutObjectCommand({ ...nowhere, Body: '' }))),
  ];

  assert.ok(key instanceof NoSuchKey && head instanceof NotFound);
  assert.equal(key.message, 'The specified key does not exist.');
  assert.deepEqual([told(key), told(head)], [[404, 'NoSuchKey'], [404, 'NotFound']]);
  assert.deepEqual(told(place), [404, NoSuchBucket.name]);
});

test('another customer key and none do not open', async () => {
  const bucket = await makeBucket();
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100), ...MODES['sse-c'].asked }));

  const wrong = await refusal(get(bucket, 'key', { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32, 1) }));
  const none = await refusal(get(bucket, 'key'));

  assert.deepEqual(told(wrong), [403, 'AccessDenied']);
  assert.deepEqual(told(none), [400, 'InvalidRequest']);
});

for (const mode of ['sse-kms', 'bucket-key', 'dsse-kms']) {
  test(`${mode}: a disabled key neither writes nor reads`, async () => {
    const bucket = await makeBucket();
    const { Arn } = (await kms.send(new CreateKeyCommand({}))).KeyMetadata;
    const put = () => s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: body(100), ...MODES[mode].asked, SSEKMSKeyId: Arn }));
    await put();
    await kms.send(new DisableKeyCommand({ KeyId: Arn }));

    // A bucket key was told to S3 already, and is used until it has to be asked for again.
    const read = mode === 'bucket-key' ? null : await refusal(get(bucket, 'key'));
    const written = await refusal(put());
    await kms.send(new EnableKeyCommand({ KeyId: Arn }));

    for (const error of [read, written].filter(Boolean)) {
      assert.deepEqual(told(error), [400, 'KMS.DisabledException']);
      assert.equal(error.message, `${Arn} is disabled.`);
    }
    assert.deepEqual((await get(bucket, 'key')).bytes, body(100));
  });
}

test('an unknown KMS key is not found', async () => {
  const bucket = await makeBucket();
  const unknown = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/none' };

  const error = await refusal(s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '', ...unknown })));

  assert.deepEqual(told(error), [400, 'KMS.NotFoundException']);
});

test('a customer key that is too short is refused', async () => {
  const bucket = await makeBucket();
  const short = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: KEY.subarray(0, 16) };

  const error = await refusal(s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '', ...short })));

  assert.deepEqual(told(error), [400, 'InvalidArgument']);
});

test('an unmodified object is told so', async () => {
  const bucket = await makeBucket();
  const { ETag } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '' }));

  const error = await refusal(get(bucket, 'key', { IfNoneMatch: ETag }));

  assert.equal(error.$metadata.httpStatusCode, 304);
});

test('a bucket in use stays, and its name is taken', async () => {
  const bucket = await makeBucket();
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '' }));
  const elsewhere = new S3Client({ region: 'eu-west-1' });
  const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' };

  const full = await refusal(s3.send(new DeleteBucketCommand({ Bucket: bucket })));
  const taken = await refusal(elsewhere.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration })));

  assert.deepEqual(told(full), [409, 'BucketNotEmpty']);
  assert.deepEqual(told(taken), [409, 'BucketAlreadyOwnedByYou']);
});

test('a wrong secret does not sign', async () => {
  const bucket = await makeBucket();
  const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: 'wrong' };

  const error = await refusal(new S3Client({ credentials }).send(new GetObjectCommand({ Bucket: bucket, Key: 'key' })));

  assert.deepEqual(told(error), [403, 'SignatureDoesNotMatch']);
});
