//! A key of many regions, and clients in three of them.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::KeyState;
use strongroom_testkit::Strongroom;

use crate::sdk::{app_today, client_in, is};

/// Where the first replica is.
pub(crate) const WEST: &str = "eu-west-1";
/// Where another may be.
pub(crate) const EAST: &str = "ap-southeast-1";

/// A primary in us-east-1 on a clock that stands, and clients there and in two other regions.
pub(crate) struct World {
    pub(crate) server: Strongroom,
    pub(crate) home: Client,
    pub(crate) west: Client,
    pub(crate) east: Client,
    pub(crate) id: String,
}

impl World {
    /// Without replicas.
    pub(crate) async fn start() -> Self {
        let (server, home) = app_today().await;
        let id = primary(&home).await;
        let [west, east] = [WEST, EAST].map(|region| client_in(&server, region));
        Self {
            server,
            home,
            west,
            east,
            id,
        }
    }

    /// With a replica in eu-west-1.
    pub(crate) async fn replicated() -> Self {
        let world = Self::start().await;
        replicate(&world.home, &world.id, WEST).await;
        world
    }

    /// The ARN that the key has in a region.
    pub(crate) fn arn(&self, region: &str) -> String {
        format!("arn:aws:kms:{region}:000000000000:key/{}", self.id)
    }

    /// What a replica says that is asked for what its primary does.
    pub(crate) fn not_primary(&self, region: &str) -> (String, String) {
        let message = format!("{} is not a multi-region primary key.", self.arn(region));
        is("UnsupportedOperationException", &message)
    }
}

/// A new primary; its id.
pub(crate) async fn primary(client: &Client) -> String {
    let made = client.create_key().multi_region(true).send().await;
    made.unwrap().key_metadata.unwrap().key_id
}

/// Makes a replica.
pub(crate) async fn replicate(client: &Client, id: &str, region: &str) {
    let replicate = client.replicate_key().key_id(id);
    replicate.replica_region(region).send().await.unwrap();
}

/// Sends a key to its end; its state.
pub(crate) async fn schedule(client: &Client, id: &str, window: i32) -> Option<KeyState> {
    let schedule = client.schedule_key_deletion().key_id(id);
    let answer = schedule.pending_window_in_days(window).send().await;
    answer.unwrap().key_state
}

/// Turns a key now.
pub(crate) async fn rotate(client: &Client, id: &str) {
    let rotated = client.rotate_key_on_demand().key_id(id).send().await;
    rotated.unwrap();
}
