//! The command line.

use std::{net::SocketAddr, path::PathBuf, sync::LazyLock};

use clap::{Args, Parser, Subcommand};

use crate::config::LogFormat;

/// A self-hosted chat server that Rocket.Chat's clients can use.
///
/// Start with `parlor serve`: it keeps everything in ./data and listens on port 3000. The first administrator is
/// made from ADMIN_USERNAME and ADMIN_PASS, by `parlor user create --admin`, or is the first to register.
#[derive(Debug, Parser)]
#[command(name = "parlor", version = version(), max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The program's version, and which web app it carries.
fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let web = parlor_web::Web::build();
        format!("{} (web: {})", env!("CARGO_PKG_VERSION"), web.as_deref().unwrap_or("none"))
    });
    &TEXT
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(ServeFlags),
    /// Copy everything (database, files, key) into a new directory, while the server runs.
    Backup {
        /// Where the server keeps its data, or its database.
        #[command(flatten)]
        place: Place,
        /// The directory to make; must not exist or be empty.
        target: PathBuf,
    },
    /// Put a backup in place of an empty data directory.
    Restore {
        /// Where the server shall keep its data, or its database.
        #[command(flatten)]
        place: Place,
        /// The directory that `parlor backup` made.
        source: PathBuf,
    },
    /// Make and change accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Make and revoke personal access tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Bring in what another server held.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Say which rule allows or denies somebody something.
    Explain(ExplainArgs),
    /// Look for what is wrong with the configuration, the data or the machine.
    Doctor(ServeFlags),
    /// Print the REST API as an OpenAPI document.
    Openapi,
    /// Print the reference page of a door's socket: its requests and events, from the tables in the code.
    Reference {
        /// Which door: `support`.
        door: String,
    },
}

/// Flags of `serve`. Each has an environment variable and a place in the configuration file.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeFlags {
    /// Address to listen on, such as 127.0.0.1:3000; may be given several times [env: LISTEN, or BIND_IP and PORT].
    #[arg(long)]
    pub listen: Vec<SocketAddr>,
    /// Directory for the database, files and key [env: PARLOR_DATA] [default: data].
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// postgres://USER:PASSWORD@HOST/NAME instead of SQLite [env: PARLOR_DATABASE_URL].
    #[arg(long)]
    pub database: Option<String>,
    /// Configuration file; parlor.example.toml explains it [env: PARLOR_CONFIG].
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Serve the web app from this folder instead of the one built in [env: PARLOR_WEB_DIR].
    #[arg(long)]
    pub web_dir: Option<PathBuf>,
    /// Logs for people or for machines.
    #[arg(long, value_enum)]
    pub log_format: Option<LogFormat>,
}

/// `parlor explain USER PERMISSION [ROOM]`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Where the server keeps its data, or its database.
    #[command(flatten)]
    pub place: Place,
    /// The user name.
    pub user: String,
    /// The permission, such as delete-message.
    pub permission: String,
    /// In this room (name or id).
    pub room: Option<String>,
}

/// Which data a command works on.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The data directory.
    #[arg(long, env = "PARLOR_DATA", default_value = "data")]
    pub data: PathBuf,
    /// The PostgreSQL database, when one is used.
    #[arg(long, env = "PARLOR_DATABASE_URL", hide_env_values = true)]
    pub database: Option<String>,
}

/// `parlor user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account; the password is read from standard input (one line).
    Create {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
        /// Display name.
        #[arg(long)]
        name: Option<String>,
        /// E-mail address.
        #[arg(long)]
        email: Option<String>,
        /// As an administrator.
        #[arg(long)]
        admin: bool,
    },
    /// List accounts.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
    },
    /// Set a new password (one line from standard input) and end the account's sessions.
    Password {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
    },
    /// Deactivate an account.
    Deactivate {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
    },
    /// Activate an account again.
    Activate {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
    },
    /// Switch an account's second factor off.
    ResetTotp {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
    },
}

/// `parlor token …`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a personal access token and print it once.
    Create {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
        /// The token's name, unique for the account.
        name: String,
    },
    /// List a user's tokens by name.
    List {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
    },
    /// Revoke a token by name.
    Revoke {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// User name.
        username: String,
        /// The token's name.
        name: String,
    },
}

/// `parlor import …`
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// From Rocket.Chat: a dump of its database, or a running server by its address. Safe to run twice.
    Rocketchat {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// What mongodump wrote: a directory or an archive, packed with gzip or not.
        #[arg(required_unless_present = "url", conflicts_with = "url")]
        source: Option<PathBuf>,
        /// A folder with the files that Rocket.Chat kept outside its database.
        #[arg(long, requires = "source")]
        files: Option<PathBuf>,
        /// The address of a running server.
        #[arg(long, requires = "token", requires = "user_id")]
        url: Option<String>,
        /// A personal access token of one of its administrators.
        #[arg(long, env = "ROCKETCHAT_TOKEN", hide_env_values = true, allow_hyphen_values = true)]
        token: Option<String>,
        /// That administrator's id.
        #[arg(long, env = "ROCKETCHAT_USER_ID")]
        user_id: Option<String>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// From Slack: the zip file that a workspace's administrators can export. Safe to run twice.
    Slack {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// The zip file.
        source: PathBuf,
        /// A token (xoxp-… or xoxb-…) by which files are fetched; without one messages keep links to them.
        #[arg(long, env = "SLACK_TOKEN", hide_env_values = true, allow_hyphen_values = true)]
        token: Option<String>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// From ShowWise's old chat: a folder with chat_messages.json and chat_groups.json. Safe to run twice.
    Showwise {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// The folder.
        source: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_begin_with_a_hyphen() {
        let said = ["--url", "http://old", "--user-id", "u", "--token", "-cAf3"];
        let line = ["parlor", "import", "rocketchat"].into_iter().chain(said);
        assert!(Cli::try_parse_from(line).is_ok());
        assert!(Cli::try_parse_from(["parlor", "import", "rocketchat", "--nothing"]).is_err());
    }
}
