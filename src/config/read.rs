//! Checked values as the types read them, without a copy: there may be a thousand daemons.

use serde::{
    Deserialize, Deserializer,
    de::{
        IntoDeserializer, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_yaml::{Error, Value};

use super::tree::{Branch, Node};

/// Reads `node`, without what is at the paths `skip`.
pub(super) fn read<'a, T: Deserialize<'a>>(node: &'a Node, skip: &[&'a str]) -> Result<T, Error> {
    T::deserialize(Reader { node, skip: skip.to_vec() })
}

/// A node to be read.
struct Reader<'a> {
    node: &'a Node,
    /// Paths below it that have no field.
    skip: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// What is below the name `name`; none if it has no field.
    fn below(&self, name: &str, node: &'a Node) -> Option<Self> {
        if self.skip.contains(&name) {
            return None;
        }
        let rest = |path: &&'a str| path.strip_prefix(name)?.strip_prefix('.');
        Some(Self { node, skip: self.skip.iter().filter_map(rest).collect() })
    }
}

impl<'de> IntoDeserializer<'de, Error> for Reader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.content {
            Branch::Leaf(leaf) => (&leaf.value).deserialize_any(visitor),
            Branch::Wrong => visitor.visit_unit(),
            Branch::List(_) => {
                let items = self.node.elements().map(|(_, node)| Self { node, skip: Vec::new() });
                visitor.visit_seq(SeqDeserializer::new(items))
            }
            Branch::Map(entries) => {
                let entries = entries.iter();
                let fields = entries
                    .filter_map(|(name, node)| Some((name.as_str(), self.below(name, node)?)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.content {
            Branch::Leaf(leaf) if leaf.value == Value::Null => visitor.visit_none(),
            Branch::Wrong => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.content {
            Branch::Leaf(leaf) => (&leaf.value).deserialize_enum(name, variants, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
