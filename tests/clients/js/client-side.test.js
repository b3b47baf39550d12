/**
 * Encryption before S3 sees a byte. There is no S3 encryption client for JavaScript: people take the AWS Encryption SDK, whose
 * messages are bodies like any other, with a keyring of KMS. It checks that a key's name is an ARN of AWS's form.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CommitmentPolicy, KmsKeyringNode, buildClient, getClient } from '@aws-crypto/client-node';
import { CreateKeyCommand, DisableKeyCommand, KMS } from '@aws-sdk/client-kms';
import { PutObjectCommand } from '@aws-sdk/client-s3';

import { KMS_KEY, MODES, assertSealed, body, get, kms, makeBucket, reading, s3 } from './around.js';

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const context = { team: 'red', path: 'a/b+c="d"' };

/** Of the region that the keyring reads from the ARN; endpoint and credentials are the environment's. */
function ringOf(generatorKeyId) {
  return new KmsKeyringNode({ generatorKeyId, clientProvider: getClient(KMS) });
}

for (const [mode, { asked }] of Object.entries(MODES)) {
  test(`${mode}: a message of the Encryption SDK lies under it and opens`, async () => {
    const bucket = await makeBucket();
    const { result } = await encrypt(ringOf(KMS_KEY), body(100_000), { encryptionContext: context });
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: result, ...asked }));

    await assertSealed(bucket, 'key', mode, result);
    const { bytes } = await get(bucket, 'key', reading(mode));
    const { plaintext, messageHeader } = await decrypt(ringOf(KMS_KEY), bytes);

    assert.deepEqual(plaintext, body(100_000));
    assert.equal(messageHeader.encryptionContext.path, context.path);
    assert.ok(!bytes.includes(body(39)));
  });
}

test('a disabled key does not open it', async () => {
  const { Arn } = (await kms.send(new CreateKeyCommand({}))).KeyMetadata;
  const { result } = await encrypt(ringOf(Arn), body(100), { encryptionContext: context });
  await kms.send(new DisableKeyCommand({ KeyId: Arn }));

  await assert.rejects(decrypt(ringOf(Arn), result), /is disabled/);
});

test('a bent message does not open', async () => {
  const { result } = await encrypt(ringOf(KMS_KEY), body(100), { encryptionContext: context });
  const bent = Buffer.from(result);
  bent[bent.indexOf('red')] ^= 1;

  await assert.rejects(decrypt(ringOf(KMS_KEY), bent));
});
