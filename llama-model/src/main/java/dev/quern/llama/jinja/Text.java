package dev.quern.llama.jinja;

/// A string that knows of each of its characters whether the template wrote it or was given it.
///
/// @param chars UTF-16, as Java has it; Python counts code points ([CodePoints])
/// @param origin as long as `chars`: [#OWN] or [#GIVEN] for each
/// @param markup made by `safe` or `escape`: what is added to it is escaped for HTML
record Text(String chars, String origin, boolean markup) implements Value, Comparable<Text> {
  static final char OWN = 'o';
  static final char GIVEN = 'g';
  static final Text EMPTY = own("");

  /// A text that the template wrote.
  static Text own(String chars) {
    return new Text(chars, String.valueOf(OWN).repeat(chars.length()), false);
  }

  /// A text that the template was given.
  static Text given(String chars) {
    return new Text(chars, String.valueOf(GIVEN).repeat(chars.length()), false);
  }

  int length() {
    return chars.length();
  }

  boolean isEmpty() {
    return chars.isEmpty();
  }

  Text slice(int from, int to) {
    return new Text(chars.substring(from, to), origin.substring(from, to), markup);
  }

  /// Another spelling of this text, such as its upper case. Where lengths differ it counts as given
  /// if any character of this is.
  Text respelt(String other) {
    char all = origin.indexOf(GIVEN) >= 0 ? GIVEN : OWN;
    return new Text(
        other,
        other.length() == chars.length() ? origin : String.valueOf(all).repeat(other.length()),
        markup);
  }

  Text withMarkup(boolean is) {
    return new Text(chars, origin, is);
  }

  /// Texts are equal by their characters, wherever these come from.
  @Override
  public boolean equals(Object other) {
    return other instanceof Text text && chars.equals(text.chars);
  }

  @Override
  public int hashCode() {
    return chars.hashCode();
  }

  /// By code points, as Python compares.
  @Override
  public int compareTo(Text other) {
    int end = Math.min(chars.length(), other.chars.length());
    for (int i = 0; i < end; i++) {
      char a = chars.charAt(i);
      char b = other.chars.charAt(i);
      if (a != b) {
        // surrogates stand for code points beyond all others
        return Character.isSurrogate(a) == Character.isSurrogate(b)
            ? Character.compare(a, b)
            : Boolean.compare(Character.isSurrogate(a), Character.isSurrogate(b));
      }
    }
    return Integer.compare(chars.length(), other.chars.length());
  }
}
