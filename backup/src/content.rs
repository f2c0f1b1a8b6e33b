//! What a snapshot's tree holds, walked so that one unreadable directory does not hide the rest.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use rustic_core::repofile::{Node, NodeType};
use rustic_core::{IndexedFullStatus, Repository, TreeId};

use crate::manifest::join;

/// By path, spelled as in the manifest.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) files: BTreeMap<String, Item>,
    pub(crate) dirs: Vec<Item>,
    /// Directories whose listing is damaged, and names no file system may be given.
    pub(crate) unreadable: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Item {
    /// Relative, with the true bytes of each name.
    pub(crate) path: PathBuf,
    pub(crate) node: Node,
}

pub(crate) fn walk(indexed: &Repository<IndexedFullStatus>, root: TreeId) -> Content {
    let mut content = Content::default();
    let mut open = vec![(PathBuf::new(), String::new(), root)];
    while let Some((dir, dir_key, id)) = open.pop() {
        let Ok(tree) = indexed.get_tree(&id) else {
            content.unreadable.push(dir_key);
            continue;
        };
        for node in tree.nodes {
            let key = join(&dir_key, &node.name);
            let Some(path) = child(&dir, &node) else {
                content.unreadable.push(key);
                continue;
            };
            match (&node.node_type, node.subtree) {
                (NodeType::File, _) => {
                    content.files.insert(key, Item { path, node });
                }
                (NodeType::Dir, Some(subtree)) => {
                    open.push((path.clone(), key, subtree));
                    content.dirs.push(Item { path, node });
                }
                _ => content.unreadable.push(key),
            }
        }
    }
    content
}

/// The bytes that the index has for a file; nothing when it lacks a piece.
pub(crate) fn stored_length(indexed: &Repository<IndexedFullStatus>, file: &Node) -> Option<u64> {
    let pieces = file.content.iter().flatten();
    let lengths = pieces.map(|id| {
        let entry = indexed.get_index_entry(id).ok()?;
        Some(u64::from(entry.location.data_length()))
    });
    lengths.sum()
}

/// A name that is one plain part; `..` or `a/b` in a forged tree would leave the target.
fn child(dir: &Path, node: &Node) -> Option<PathBuf> {
    let name = node.name();
    let mut parts = Path::new(&*name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(part)), None) if part == &*name => Some(dir.join(part)),
        _ => None,
    }
}
