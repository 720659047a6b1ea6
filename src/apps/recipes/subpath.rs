//! Where in a storage the dataset of a run is, and where the world can open it.

use super::bakeries::Storage;
use super::rows::DatasetType;
use super::rows::recipe_runs::RecipeRun;

/// The run's own place in a storage, which takes the place of `{subpath}`:
/// `APP/test/OWNER/REPO/recipe-run-ID/RECIPE.zarr` for a test, `APP/OWNER/REPO/RECIPE.zarr` in
/// production. `spec` is the feedstock's `owner/repo`.
pub fn subpath(app_name: &str, spec: &str, run: &RecipeRun) -> String {
    let spec = spec.split('/').map(segment).collect::<Vec<_>>().join("/");
    let dataset_type = run.dataset_type.unwrap_or(DatasetType::Zarr).as_str();
    let file = format!("{}.{dataset_type}", segment(&run.recipe_id));
    let app_name = segment(app_name);
    if run.is_test {
        format!("{app_name}/test/{spec}/recipe-run-{}/{file}", run.id)
    } else {
        format!("{app_name}/{spec}/{file}")
    }
}

impl Storage {
    /// [`Self::root_path`] of the run whose place is `subpath`.
    pub fn root_path_of(&self, subpath: &str) -> String {
        self.root_path.replace("{subpath}", subpath)
    }

    /// Where the world can open what the run left; `None` when the storage is not public.
    pub fn public_url_of(&self, subpath: &str) -> Option<String> {
        Some(self.public_url.as_ref()?.replace("{root_path}", &self.root_path_of(subpath)))
    }
}

/// `text` as one segment that cannot leave its place and that means itself in a path and in a URL:
/// whatever could be read otherwise becomes `=` and the hexadecimal digits of its bytes.
fn segment(text: &str) -> String {
    if matches!(text, "." | "..") {
        return text.replace('.', "=2E");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b',');
    text.bytes().fold(String::with_capacity(text.len()), |mut segment, byte| {
        if plain(byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("={byte:02X}"));
        }
        segment
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::apps::recipes::rows::RunStatus;

    fn run(recipe_id: &str, is_test: bool) -> RecipeRun {
        RecipeRun {
            recipe_id: recipe_id.into(),
            bakery_id: 1,
            feedstock_id: 1,
            head_sha: "abc".into(),
            version: String::new(),
            started_at: DateTime::UNIX_EPOCH,
            completed_at: None,
            conclusion: None,
            status: RunStatus::Queued,
            is_test,
            dataset_type: Some(DatasetType::Zarr),
            dataset_public_url: None,
            message: None,
            id: 1191,
        }
    }

    #[test]
    fn datasets_are_where_they_always_were() {
        let storage: Storage = serde_json::from_value(json!({
            "fsspec_class": "s3fs.S3FileSystem",
            "root_path": "Pangeo/{subpath}",
            "public_url": "https://ncsa.osn.xsede.org/{root_path}",
        }))
        .expect("a storage");
        let test = subpath("pangeo-forge", "pangeo-forge/staged-recipes", &run("eobs-wind-speed", true));
        let root_path = "Pangeo/pangeo-forge/test/pangeo-forge/staged-recipes/recipe-run-1191/eobs-wind-speed.zarr";
        assert_eq!(storage.root_path_of(&test), root_path);
        assert_eq!(storage.public_url_of(&test), Some(format!("https://ncsa.osn.xsede.org/{root_path}")));
        let production = subpath("pangeo-forge", "pangeo-forge/eobs-feedstock", &run("eobs-wind-speed", false));
        assert_eq!(production, "pangeo-forge/pangeo-forge/eobs-feedstock/eobs-wind-speed.zarr");
        assert_eq!(Storage { public_url: None, ..storage }.public_url_of(&test), None);
    }

    #[test]
    fn no_recipe_reaches_the_place_of_another() {
        for (recipe_id, file) in [
            ("../../other/x", "..=2F..=2Fother=2Fx"),
            ("a b", "a=20b"),
            ("a=20b", "a=3D20b"),
            ("é{subpath}?#%", "=C3=A9=7Bsubpath=7D=3F=23=25"),
        ] {
            assert_eq!(subpath("app", "o/r", &run(recipe_id, false)), format!("app/o/r/{file}.zarr"));
        }
        assert_eq!(subpath("..", "../r", &run("a", false)), "=2E=2E/=2E=2E/r/a.zarr");
    }
}
