use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The table whose entries tell how sure the others are.
pub(super) const EVIDENCE: &str = "evidence";

/// Lays a profile over its base, value by value. The places of the upper one's values are kept,
/// so that errors in them can be told with line and column.
///
/// Evidence of the base for a value that is replaced is evidence no longer.
pub(super) fn lay_over<'a>(base: &mut DeTable<'a>, upper: DeTable<'a>) {
    let mut replaced = BTreeSet::new();
    for (key, value) in &upper {
        leaves(key.get_ref(), value.get_ref(), &mut replaced);
    }
    if let Some(evidence) = base.get_mut(EVIDENCE)
        && let DeValue::Table(evidence) = evidence.get_mut()
    {
        for key in &replaced {
            evidence.remove(key.as_str());
        }
    }
    merge(base, upper);
}

fn merge<'a>(base: &mut DeTable<'a>, upper: DeTable<'a>) {
    for (key, value) in upper {
        let span = value.span();
        let below = base.remove(key.get_ref().as_ref());
        let merged = match (below.map(Spanned::into_inner), value.into_inner()) {
            // An entry of the evidence is one statement, not two halves.
            (Some(DeValue::Table(mut below)), DeValue::Table(above))
                if !below.contains_key("confidence") =>
            {
                merge(&mut below, above);
                DeValue::Table(below)
            }
            (_, above) => above,
        };
        base.insert(key, Spanned::new(span, merged));
    }
}

/// The dotted keys of the values in a table.
fn leaves(key: &str, value: &DeValue<'_>, found: &mut BTreeSet<String>) {
    match value {
        DeValue::Table(table) => {
            for (inner, value) in table {
                leaves(
                    &format!("{key}.{}", inner.get_ref()),
                    value.get_ref(),
                    found,
                );
            }
        }
        _ => {
            found.insert(key.to_owned());
        }
    }
}
