package dev.quern;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// The value of `quern.provider` or of one of its operators: `auto`, or provider names in order.
///
/// @param property the property that states it
/// @param wanted the names; empty means `auto`
record SelectionRule(String property, List<Wanted> wanted) {
  static final String AUTO = "auto";

  /// @param optional whether the provider may be absent (`name?`)
  record Wanted(String name, boolean optional) {
    @Override
    public String toString() {
      return optional ? name + "?" : name;
    }
  }

  /// Reads a value.
  ///
  /// @throws SelectionException if it is malformed; the message says how to write it
  static SelectionRule parse(String property, String value) {
    if (value.strip().equals(AUTO)) {
      return new SelectionRule(property, List.of());
    }
    List<Wanted> wanted = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (String element : value.split(",", -1)) {
      String word = element.strip();
      boolean optional = word.endsWith("?");
      String name = optional ? word.substring(0, word.length() - 1) : word;
      if (name.isEmpty()) {
        throw malformed(property, value, "an element is empty");
      }
      if (name.equals(AUTO)) {
        throw malformed(property, value, "auto stands alone, not in a list");
      }
      if (!Catalog.legal(name)) {
        throw malformed(property, value, "'" + word + "' is not a provider name");
      }
      if (!seen.add(name)) {
        throw malformed(property, value, name + " is named twice");
      }
      wanted.add(new Wanted(name, optional));
    }
    return new SelectionRule(property, List.copyOf(wanted));
  }

  boolean auto() {
    return wanted.isEmpty();
  }

  /// The setting as a user writes it.
  @Override
  public String toString() {
    return property
        + "="
        + (auto() ? AUTO : wanted.stream().map(Wanted::toString).collect(Collectors.joining(",")));
  }

  private static SelectionException malformed(String property, String value, String what) {
    return new SelectionException(
        String.format(
            Locale.ROOT,
            "%s=%s: %s, expected auto, or names in order such as kleidi?,vector,scalar",
            property,
            value,
            what));
  }
}
