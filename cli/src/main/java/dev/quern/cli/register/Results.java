package dev.quern.cli.register;

import dev.quern.cli.console.UserException;
import dev.quern.cli.register.Claim.Count;
import dev.quern.cli.register.Claim.Result;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Results as a report's file has them: for each operator its checks, and for each kind of spec one
/// word for each of them, in that order. `31` is 31 cases passed, `28+3f` three more that failed,
/// `d` declined, `s` skipped; `-` is a check that says nothing of this kind of spec, or whose cases
/// were all declined. Words at the end that are `-` are left out.
final class Results {
  private static final Pattern WORD =
      Pattern.compile("(\\d{1,9})(?:\\+(\\d{1,9})f)?(?:\\+(\\d{1,9})d)?(?:\\+(\\d{1,9})s)?");

  private Results() {}

  static Map<String, Object> tree(List<Result> results) {
    Map<String, Object> tree = new LinkedHashMap<>();
    Map<String, List<Result>> operators = new LinkedHashMap<>();
    results.forEach(r -> operators.computeIfAbsent(r.operator(), k -> new ArrayList<>()).add(r));
    operators.forEach((operator, own) -> tree.put(operator, operator(own)));
    return tree;
  }

  private static Map<String, Object> operator(List<Result> results) {
    Set<String> checks = new LinkedHashSet<>();
    Map<String, Map<String, Count>> subjects = new LinkedHashMap<>();
    for (Result r : results) {
      checks.add(r.check());
      subjects.computeIfAbsent(r.subject(), k -> new LinkedHashMap<>()).put(r.check(), r.count());
    }
    Map<String, String> words = new LinkedHashMap<>();
    subjects.forEach((subject, counts) -> {
      List<String> row = checks.stream().map(c -> word(counts.get(c))).toList();
      words.put(subject, String.join(" ", row).replaceFirst("( -)+$", ""));
    });
    return Map.of("checks", List.copyOf(checks), "subjects", words);
  }

  private static String word(Count c) {
    return c == null
        ? "-"
        : c.passed() + part(c.failed(), "f") + part(c.declined(), "d") + part(c.skipped(), "s");
  }

  private static String part(long count, String letter) {
    return count == 0 ? "" : "+" + count + letter;
  }

  static List<Result> of(Tree tree) {
    List<Result> results = new ArrayList<>();
    try (tree) {
      for (String operator : tree.names()) {
        try (Tree own = tree.object(operator)) {
          List<String> checks = own.texts("checks");
          checks.forEach(c -> requireCheck(c, own));
          own.map("subjects")
              .forEach((subject, words) ->
                  results.addAll(row(operator, subject, checks, words, own.where())));
        }
      }
    }
    return results;
  }

  private static void requireCheck(String check, Tree own) {
    if (!check.matches("([A-Z]\\d{1,2}|support)_[a-z0-9_]{1,60}")) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: check '%s', expected a name such as L5_exact_f32",
              own.where(),
              check));
    }
  }

  private static List<Result> row(
      String operator, String subject, List<String> checks, String words, String where) {
    String[] all = words.split(" ");
    if (all.length > checks.size()) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: %s has %d results, expected at most %d",
              where,
              subject,
              all.length,
              checks.size()));
    }
    List<Result> results = new ArrayList<>();
    for (int i = 0; i < all.length; i++) {
      if (!all[i].equals("-")) {
        results.add(new Result(operator, subject, checks.get(i), count(all[i], where)));
      }
    }
    return results;
  }

  private static Count count(String word, String where) {
    Matcher m = WORD.matcher(word);
    if (!m.matches()) {
      throw new UserException(
          String.format(Locale.ROOT, "%s: '%s', expected counts such as 28+3f", where, word));
    }
    return new Count(number(m, 1), number(m, 2), number(m, 3), number(m, 4));
  }

  private static long number(Matcher m, int group) {
    return m.group(group) == null ? 0 : Long.parseLong(m.group(group));
  }
}
