//! Keys of ML-DSA: what they sign, and how the message may be given. Those of ML-KEM stand with shared secrets.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};

use crate::sdk::{app, is, key_of, refusal};

/// The specs, and how long their public halves and signatures are (FIPS 204, table 2).
const SPECS: [(KeySpec, usize, usize); 3] = [
    (KeySpec::MlDsa44, 1_312, 2_420),
    (KeySpec::MlDsa65, 1_952, 3_309),
    (KeySpec::MlDsa87, 2_592, 4_627),
];

async fn sign(
    client: &Client,
    (key, algorithm): (&str, SigningAlgorithmSpec),
    (message, kind): (&[u8], MessageType),
) -> Result<Vec<u8>, (String, String)> {
    let sign = client.sign().key_id(key).signing_algorithm(algorithm);
    let sign = sign.message(Blob::new(message)).message_type(kind);
    match sign.send().await {
        Ok(answer) => Ok(answer.signature.unwrap().into_inner()),
        refused => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn each_spec_signs_messages_and_their_representatives() {
    let (_server, client) = app().await;

    for (spec, public, length) in SPECS {
        let key = key_of(&client, spec.clone(), KeyUsageType::SignVerify).await;
        let used = (key.as_str(), SigningAlgorithmSpec::MlDsaShake256);
        let given: [(&[u8], _); 2] = [
            (b"hello", MessageType::Raw),
            (&[7; 64], MessageType::ExternalMu),
        ];
        for (message, kind) in given {
            let signature = sign(&client, used.clone(), (message, kind.clone()))
                .await
                .unwrap();

            assert_eq!(signature.len(), length, "{spec:?}");
            let verify = client
                .verify()
                .key_id(&key)
                .signing_algorithm(used.1.clone());
            let verify = verify
                .message(Blob::new(message))
                .message_type(kind.clone());
            let verified = verify
                .clone()
                .signature(Blob::new(signature.clone()))
                .send()
                .await;
            assert!(verified.unwrap().signature_valid);
            let other = verify.message_type(match kind {
                MessageType::Raw => MessageType::ExternalMu,
                _ => MessageType::Raw,
            });
            let other = other
                .message(Blob::new([7; 64]))
                .signature(Blob::new(signature));
            assert_eq!(
                refusal(other.send().await),
                is("KMSInvalidSignatureException", "")
            );
        }
        let told = client.get_public_key().key_id(&key).send().await.unwrap();
        assert_eq!(told.key_spec, Some(spec));
        assert_eq!(
            told.signing_algorithms(),
            [SigningAlgorithmSpec::MlDsaShake256]
        );
        // SPKI puts 22 bytes before it.
        assert_eq!(told.public_key.unwrap().as_ref().len(), public + 22);
    }
}

#[tokio::test]
async fn a_message_of_another_type_is_refused() {
    let (_server, client) = app().await;
    let lattice = key_of(&client, KeySpec::MlDsa44, KeyUsageType::SignVerify).await;
    let lattice = (lattice.as_str(), SigningAlgorithmSpec::MlDsaShake256);
    let curve = key_of(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let curve = (curve.as_str(), SigningAlgorithmSpec::EcdsaSha256);
    let mu = (&[7; 64][..], MessageType::ExternalMu);

    let digest = sign(&client, lattice.clone(), (&[7; 32], MessageType::Digest)).await;
    let short = sign(
        &client,
        lattice.clone(),
        (&[7; 63], MessageType::ExternalMu),
    )
    .await;
    let of_curve = sign(&client, curve, mu.clone()).await;
    let algorithm = sign(&client, (lattice.0, SigningAlgorithmSpec::EcdsaSha256), mu).await;

    let told = "Algorithm ML_DSA_SHAKE_256 requires message type RAW.";
    assert_eq!(digest, Err(is("ValidationException", told)));
    let told = "Digest is invalid length for algorithm ML_DSA_SHAKE_256.";
    assert_eq!(short, Err(is("ValidationException", told)));
    let told = "Algorithm ECDSA_SHA_256 requires message type RAW.";
    assert_eq!(of_curve, Err(is("ValidationException", told)));
    let told = "Algorithm ECDSA_SHA_256 is incompatible with key spec ML_DSA_44.";
    assert_eq!(algorithm, Err(is("InvalidKeyUsageException", told)));
}
