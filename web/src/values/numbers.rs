//! Numbers and characters as people read them.

use twinbeam_core::models::CatalogModel;

/// What is fetched of a model: its weights, without the masks that files of GPT-2 hold besides.
pub(crate) fn fetch_bytes(model: &CatalogModel) -> u64 {
    model.weight_bytes().min(model.file_bytes)
}

/// A number of bytes with three digits that count.
pub(crate) fn bytes(count: u64) -> String {
    let size = count as f64;
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.0} kB", size / 1e3),
        1_000_000..10_000_000 => format!("{:.1} MB", size / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} MB", size / 1e6),
        _ => format!("{:.2} GB", size / 1e9),
    }
}

/// A number of seconds, rounded up.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{} s", seconds.ceil().max(1.0))
    } else {
        format!("{} min", (seconds / 60.0).ceil())
    }
}

/// A small share, in percent with two digits that count.
pub(crate) fn percent(share: f32) -> String {
    let percent = 100.0 * share;
    if percent == 0.0 {
        return "0 %".to_owned();
    }
    let decimals = (1.0 - f64::from(percent.abs()).log10().floor()).clamp(0.0, 8.0) as usize;
    format!("{percent:.decimals$} %")
}

/// Words that begin as a sentence does.
pub(crate) fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::Catalog;

    use super::*;

    #[test]
    fn sizes_are_written_as_people_say_them() {
        let catalog = Catalog::bundled();
        let small = catalog.find("gpt2").unwrap();
        assert_eq!(bytes(fetch_bytes(small)), "498 MB");
        assert_eq!(
            [0, 999, 2_077_768, 999_999_999].map(bytes),
            ["0 B", "999 B", "2.1 MB", "1000 MB"]
        );
        assert_eq!(bytes(3_247_159_078), "3.25 GB");
    }

    #[test]
    fn small_shares_keep_two_digits() {
        assert_eq!(
            [0.0, 0.5, 0.02, 0.001234, 1.5e-5].map(percent),
            ["0 %", "50 %", "2.0 %", "0.12 %", "0.0015 %"]
        );
    }
}
