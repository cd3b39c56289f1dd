//! What was found in a file, gathered by kind.

use std::borrow::Cow;

use crate::domain::{Finding, Light};

/// Kinds beyond these are not told one by one.
const MOST: usize = 20;

/// Problems of the same kind are one entry with the line of the first and their number.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Kind>,
    /// Where the last one was found: the same problem often stands on each line.
    last: usize,
    /// The worst of those that found no room.
    others: Option<Kind>,
}

#[derive(Debug)]
struct Kind {
    severity: Light,
    line: Option<u64>,
    code: &'static str,
    text: Cow<'static, str>,
    count: u64,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        severity: Light,
        line: Option<u64>,
        code: &'static str,
        text: Cow<'static, str>,
    ) {
        let is = |kind: &Kind| kind.code == code && kind.text == text;
        if self.list.get(self.last).is_some_and(is) {
            self.list[self.last].count += 1;
        } else if let Some(index) = self.list.iter().position(is) {
            self.last = index;
            self.list[index].count += 1;
        } else if self.list.len() < MOST - 1 {
            self.last = self.list.len();
            self.list.push(Kind { severity, line, code, text, count: 1 });
        } else {
            let text = "problems of further kinds".into();
            let first = Kind { severity, line, code: "more", text, count: 0 };
            let others = self.others.get_or_insert(first);
            others.count += 1;
            others.severity = others.severity.max(severity);
        }
    }

    /// Worst first, otherwise in the order in which they were found.
    pub(super) fn into_vec(self) -> Vec<Finding> {
        let mut kinds = self.list;
        kinds.extend(self.others);
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.severity));
        let finding = |kind: Kind| Finding {
            severity: kind.severity,
            line: kind.line,
            code: kind.code.to_owned(),
            message: kind.text.into_owned(),
            count: kind.count,
        };
        kinds.into_iter().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_there_are_at_most_twenty() {
        let mut findings = Findings::default();
        for line in 1..=100 {
            findings.add(Light::Amber, Some(line), "unknown-word", format!("G{line}").into());
            findings.add(Light::Amber, Some(line), "no-units", "no units".into());
        }
        findings.add(Light::Red, Some(101), "arc", "an arc".into());
        let list = findings.into_vec();
        assert_eq!(list.len(), 20);
        assert_eq!((list[0].severity, list[0].code.as_str()), (Light::Red, "more"));
        assert_eq!((list[0].line, list[0].count), (Some(19), 100 - 18 + 1));
        let units = list.iter().find(|it| it.code == "no-units").unwrap();
        assert_eq!((units.line, units.count), (Some(1), 100));
    }
}
