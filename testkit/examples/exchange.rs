//! Puts and gets single objects with `ClientSide` on a server that runs already, so that another client can read and write the
//! same ones: `tests/clients/test_client_side.py` does, with AWS's own.
//!
//! `exchange WHAT URI BUCKET KEY WRAPPING [NAME=VALUE…]`. WHAT is `put-v2`, `put-v3`, `put-v2-apart`, `put-v3-apart` (with an
//! instruction file) or `get`; WRAPPING is `aes:` and a key of 32 characters, or a key of KMS; the pairs are the encryption
//! context. What is put comes from standard input, what is got goes to standard output. An error ends it with status 1, and
//! its name on standard error.

use std::env;
use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use strongroom_testkit::ClientSide;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match exchange(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn exchange(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [what, uri, bucket, key, wrapping, context @ ..] = arguments else {
        return Err("WHAT URI BUCKET KEY WRAPPING [NAME=VALUE…]".into());
    };
    let config = config(uri);
    let s3 = aws_sdk_s3::Client::new(&config);
    let mut client = client(&config, wrapping, context)?;
    if what.starts_with("put-v2") {
        client = client.v2();
    }
    match what.as_str() {
        "get" => {
            let plaintext = client.get(&s3, bucket, key).await?;
            io::stdout().write_all(&plaintext)?;
        }
        "put-v2" | "put-v3" => client.put(&s3, bucket, key, &input()?).await?,
        "put-v2-apart" | "put-v3-apart" => {
            let plaintext = input()?;
            let put = client.put_with_instruction_file(&s3, bucket, key, &plaintext);
            put.await?;
        }
        other => return Err(format!("what is `{other}`?").into()),
    }
    Ok(())
}

/// A client of the server at `uri`, with the credentials that it takes by default.
fn config(uri: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "exchange");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(uri)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

fn client(
    config: &SdkConfig,
    wrapping: &str,
    context: &[String],
) -> Result<ClientSide, Box<dyn Error>> {
    let client = match wrapping.strip_prefix("aes:") {
        Some(key) => ClientSide::aes(key.as_bytes().try_into()?),
        None => ClientSide::kms(&aws_sdk_kms::Client::new(config), wrapping),
    };
    let pairs = context.iter().filter_map(|pair| pair.split_once('='));
    Ok(pairs.fold(client, |client, (name, value)| client.context(name, value)))
}

fn input() -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body)?;
    Ok(body)
}
