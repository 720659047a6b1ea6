//! Pages of lists: `per_page`, `page`, and the Link header of RFC 8288.

use serde_json::Value;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Things on a page, 1 to 100.
    pub size: usize,
    /// Number of the page, from 1.
    pub number: usize,
}

impl Page {
    /// Reads `per_page` (30 unless told, at most 100) and `page`; nonsense counts as not told, as on GitHub.
    pub fn from_query(query: &[(String, String)]) -> Self {
        let number = |name: &str| query.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.parse::<usize>().ok());
        Self {
            size: number("per_page").filter(|n| *n > 0).unwrap_or(30).min(100),
            number: number("page").filter(|n| *n > 0).unwrap_or(1),
        }
    }

    /// The things on this page.
    pub fn cut<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.size.saturating_mul(self.number - 1)).take(self.size).collect()
    }

    /// The Link header for a list of `total` things at `url` (without its query); `None` when one page holds all.
    pub fn link(self, total: usize, url: &str, query: &[(String, String)]) -> Option<String> {
        let last = total.div_ceil(self.size).max(1);
        let at =
            |page: usize, rel: &str| format!("<{}>; rel=\"{rel}\"", with_query(url, query, "page", &page.to_string()));
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(at((self.number - 1).min(last), "prev"));
        }
        if self.number < last {
            links.push(at(self.number + 1, "next"));
            links.push(at(last, "last"));
        }
        if self.number > 1 {
            links.push(at(1, "first"));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// `url` with `query`, in which `name` is set to `value`.
pub fn with_query(url: &str, query: &[(String, String)], name: &str, value: &str) -> String {
    let kept = query.iter().filter(|(n, _)| n != name).map(|(n, v)| (n.as_str(), v.as_str()));
    let pairs: Vec<(&str, &str)> = kept.chain([(name, value)]).collect();
    format!("{url}?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

/// A list as GitHub wraps it: `{"total_count": …, NAME: […]}`.
pub fn counted(name: &str, total: usize, items: Vec<Value>) -> Value {
    let mut value = serde_json::json!({ "total_count": total });
    value[name] = Value::Array(items);
    value
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn query(text: &str) -> Vec<(String, String)> {
        serde_urlencoded::from_str(text).expect("a query")
    }

    #[test]
    fn sizes_are_bounded() {
        for (text, size, number) in [
            ("", 30, 1),
            ("per_page=500", 100, 1),
            ("per_page=0&page=0", 30, 1),
            ("per_page=7&page=3", 7, 3),
            ("page=x", 30, 1),
        ] {
            assert_eq!(Page::from_query(&query(text)), Page { size, number }, "{text}");
        }
    }

    #[test]
    fn links_lead_through_the_list() {
        let q = query("per_page=2&page=2&state=all");
        let page = Page::from_query(&q);
        assert_eq!(page.cut(vec![1, 2, 3, 4, 5]), [3, 4]);
        let url = |n| format!("<http://h/x?per_page=2&state=all&page={n}>");
        assert_eq!(
            page.link(5, "http://h/x", &q),
            Some(format!(
                "{}; rel=\"prev\", {}; rel=\"next\", {}; rel=\"last\", {}; rel=\"first\"",
                url(1),
                url(3),
                url(3),
                url(1)
            ))
        );
        assert_eq!(Page { size: 30, number: 1 }.link(30, "http://h/x", &[]), None);
    }
}
