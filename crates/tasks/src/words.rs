//! Fillers that several tasks share, and the two helpers that put them into templates.

use rand::Rng;

/// First names that take "she". None is also a capital, a country or a common word, so that a
/// name can be recognised in a text by its spelling alone.
pub(crate) const FEMALE: [&str; 34] = [
    "Mary", "Anna", "Kate", "Sarah", "Emma", "Lucy", "Alice", "Jane", "Laura", "Helen", "Julia",
    "Linda", "Susan", "Karen", "Nancy", "Emily", "Ruth", "Clara", "Diana", "Rachel", "Maria",
    "Sophie", "Amy", "Lisa", "Ellen", "Martha", "Nora", "Molly", "Hannah", "Megan", "Judy",
    "Betty", "Paula", "Tina",
];

/// First names that take "he".
pub(crate) const MALE: [&str; 34] = [
    "John", "Tom", "James", "David", "Peter", "Paul", "Robert", "Michael", "George", "Henry",
    "Simon", "Daniel", "Edward", "Frank", "Jack", "Adam", "Kevin", "Brian", "Martin", "Luke",
    "Oscar", "Victor", "Walter", "Steven", "Andrew", "Patrick", "Philip", "Ryan", "Jason", "Eric",
    "Arthur", "Ben", "Sam", "Alan",
];

/// Places that take "the" and to which one can go.
pub(crate) const PLACES: [&str; 26] = [
    "store",
    "market",
    "park",
    "school",
    "beach",
    "library",
    "station",
    "hospital",
    "museum",
    "office",
    "restaurant",
    "church",
    "theatre",
    "bakery",
    "farm",
    "zoo",
    "airport",
    "bank",
    "garden",
    "harbour",
    "hotel",
    "kitchen",
    "lake",
    "castle",
    "pool",
    "village",
];

/// Things that can be handed over, with their articles.
pub(crate) const OBJECTS: [&str; 27] = [
    "a bottle of milk",
    "a cup of tea",
    "a piece of cake",
    "a book",
    "a ring",
    "a letter",
    "a picture",
    "a basket",
    "a map",
    "a ticket",
    "a coat",
    "a hat",
    "a key",
    "a lamp",
    "a ball",
    "a kite",
    "a pen",
    "a watch",
    "a bag",
    "a box",
    "a gift",
    "a camera",
    "a loaf of bread",
    "a drink",
    "a blanket",
    "a note",
    "a bowl of soup",
];

/// Adjectives that fit most things; all start with a consonant sound, so "a" always fits.
pub(crate) const ADJECTIVES: [&str; 20] = [
    "red",
    "blue",
    "green",
    "big",
    "small",
    "new",
    "clean",
    "dirty",
    "heavy",
    "light",
    "strange",
    "beautiful",
    "quiet",
    "broken",
    "cheap",
    "long",
    "short",
    "white",
    "black",
    "good",
];

/// Days of the week.
pub(crate) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// How many first names there are.
pub(crate) const NAMES: usize = FEMALE.len() + MALE.len();

/// The first name with an index below [`NAMES`].
pub(crate) fn name(index: usize) -> &'static str {
    FEMALE.get(index).copied().unwrap_or_else(|| MALE[index - FEMALE.len()])
}

/// The index of a first name, if the word is one.
pub(crate) fn name_index(word: &str) -> Option<usize> {
    (0..NAMES).find(|&index| name(index) == word)
}

/// The words of a text without punctuation.
pub(crate) fn plain_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// Any element of a list.
pub(crate) fn pick<T: Copy>(list: &[T], rng: &mut impl Rng) -> T {
    list[rng.random_range(0..list.len())]
}

/// A template with each `{key}` replaced by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (key, value)| text.replace(key, value))
}

/// A sentence from a prompt, the answer with its leading space, and an ending that may be empty.
pub(crate) fn close(prompt: &str, answer: &str, ending: &str) -> String {
    let gap = if ending.is_empty() { "" } else { " " };
    format!("{prompt}{answer}{gap}{ending}.")
}

/// The shared words that have to be single tokens.
pub(crate) fn vocabulary() -> Vec<String> {
    let objects = OBJECTS.iter().flat_map(|object| object.split(' '));
    let names = FEMALE.iter().chain(&MALE).chain(&PLACES).copied();
    names.chain(objects).map(str::to_owned).collect()
}
