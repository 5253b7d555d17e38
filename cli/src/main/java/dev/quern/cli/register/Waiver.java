package dev.quern.cli.register;

import dev.quern.cli.console.Json;
import dev.quern.cli.console.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;

/// A broken rule that is excused for a while.
///
/// @param provider its name
/// @param rule its number: `L8`
/// @param format the kinds of spec: the first words of `linear Q4_0 int8-sym-32`, at least one
/// @param reason why it is excused
/// @param link where to read on
/// @param until the last day on which it holds
public record Waiver(
    String provider, String rule, String format, String reason, String link, LocalDate until) {

  /// Whether it speaks of a result.
  boolean covers(String judged, Claim.Result result) {
    String of = result.operator() + " " + result.subject() + " ";
    return provider.equals(judged) && rule.equals(result.rule()) && of.startsWith(format + " ");
  }

  boolean holds(LocalDate day) {
    return !day.isAfter(until);
  }

  /// Reads a file of waivers: `{"waivers": [...]}`.
  ///
  /// @throws UserException if it is none
  public static List<Waiver> read(Path file) throws IOException {
    String where = file.toString();
    Object tree = Json.read(Files.readString(file, StandardCharsets.UTF_8), where);
    try (Tree root = Tree.of(tree, where)) {
      return root.list("waivers").stream().map(Waiver::of).toList();
    }
  }

  static Waiver of(Tree t) {
    try (t) {
      Waiver w =
          new Waiver(
              t.text("provider"),
              t.text("rule"),
              t.text("format"),
              t.text("reason"),
              t.text("link"),
              t.date("until"));
      if (w.format.isBlank() || w.reason.isBlank() || w.link.isBlank()) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "%s: a waiver for %s of %s without format, reason or link, expected all three",
                t.where(),
                w.rule,
                w.provider));
      }
      return w;
    }
  }
}
