//! A tree of lines.

/// A line and what belongs to it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    line: String,
    children: Vec<Tree>,
}

impl Tree {
    /// A line.
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), children: Vec::new() }
    }

    /// Adds a line below it.
    pub fn push(&mut self, child: Self) {
        self.children.push(child);
    }

    /// A line with those below it.
    #[must_use]
    pub fn with(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The whole tree, each line ended.
    pub fn render(&self) -> String {
        let mut text = format!("{}\n", self.line);
        self.render_children("", &mut text);
        text
    }

    fn render_children(&self, indent: &str, text: &mut String) {
        for (number, child) in self.children.iter().enumerate() {
            let last = number + 1 == self.children.len();
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            *text += &format!("{indent}{branch}{}\n", child.line);
            child.render_children(&format!("{indent}{below}"), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn branches_lead_to_what_they_hold() {
        let tree = Tree::new("a").with([Tree::new("b").with([Tree::new("c"), Tree::new("d")]), Tree::new("e")]);
        assert_eq!(tree.render(), "a\n├─ b\n│  ├─ c\n│  └─ d\n└─ e\n");
    }
}
