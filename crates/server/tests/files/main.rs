//! Files as a workspace keeps them: in a bucket, within quotas, once, scanned, and nothing that nobody needs.

mod bucket;
mod scan;
mod silence;
mod supabase;
mod upkeep;
mod world;
