//! Columns that hold one of a few words.

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::store::Error;

macro_rules! words {
    (#[doc = $doc:literal] $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        // Not derived: the derive does not see words that a macro hands on.
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
                words.enum_values(Some(Self::WORDS.iter().copied())).description(Some($doc.trim())).into()
            }
        }

        impl ToSchema for $name {}

        impl $name {
            /// All words.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the database and in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the word.
            ///
            /// # Errors
            /// [`Error::Other`] for a word that this version does not know.
            pub fn read(word: &str) -> Result<Self, Error> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::Other(format!("{word:?} is no {}", stringify!($name)))),
                }
            }
        }
    };
}

words! {
    /// Who hosts a feedstock's repository.
    Provider {
        /// GitHub.
        Github = "github",
    }
}

words! {
    /// How far a recipe run is.
    RunStatus {
        /// Waiting to be started.
        Queued = "queued",
        /// Running at its bakery.
        InProgress = "in_progress",
        /// Ended; see its conclusion.
        Completed = "completed",
    }
}

words! {
    /// How a recipe run ended.
    Conclusion {
        /// Somebody must act.
        ActionRequired = "action_required",
        /// Cancelled.
        Cancelled = "cancelled",
        /// Failed.
        Failure = "failure",
        /// Neither good nor bad.
        Neutral = "neutral",
        /// Succeeded.
        Success = "success",
        /// Not run.
        Skipped = "skipped",
        /// Overtaken.
        Stale = "stale",
        /// Took too long.
        TimedOut = "timed_out",
    }
}

words! {
    /// What a run produces.
    DatasetType {
        /// A Zarr store.
        Zarr = "zarr",
        /// Kerchunk references.
        Kerchunk = "kerchunk",
        /// A Parquet file or folder.
        Parquet = "parquet",
    }
}
