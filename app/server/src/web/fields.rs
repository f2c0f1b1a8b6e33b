//! Names and values as a form or a query string delivered them.

use crate::web::limits::FIELDS_MAX;

/// Fields in their order; a name may come several times (check boxes).
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=1&b=2`. Over the limit of fields it is `None`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(bytes)
            .take(FIELDS_MAX + 1)
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        (fields.len() <= FIELDS_MAX).then_some(Self(fields))
    }

    /// Fields that did not come from a browser: arguments of a command. Over the limit `None`.
    pub fn from_pairs<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Option<Self> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let fields: Vec<(String, String)> = pairs.take(FIELDS_MAX + 1).map(owned).collect();
        (fields.len() <= FIELDS_MAX).then_some(Self(fields))
    }

    /// The first value of a name, or nothing (`""`).
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The value without spaces around it, ideographic ones included.
    pub fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// All values of a name.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// True when the name came at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same fields without one name, as a query string.
    pub fn query_without(&self, name: &str) -> String {
        let kept = self
            .pairs()
            .filter(|(known, value)| *known != name && !value.is_empty());
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .finish()
    }
}
