package dev.quern.conformance;

import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Declaration;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a provider's author declares that it accepts: the resource `META-INF/quern/NAME.support` in
/// the provider's JAR. The suite compares it with what the provider does accept, so that a kernel
/// can't get lost unnoticed. Line by line:
///
/// ```
/// # a comment
/// linear Q4_0,Q8_0 exact-f32,int8-sym-32
/// linear INT4_B32 int8-asym-row if i8mm,dotprod where outputs%4,inputs<=65536
/// attention F32,F16 where headDim<=256
/// attention F32 window,soft-cap,window+soft-cap
/// rmsnorm rows,groups
/// rope all
/// swiglu silu,gelu-tanh
/// ```
///
/// `attention F32` is `attention F32 full`, `rmsnorm` alone is `rmsnorm rows`, and `swiglu` alone
/// is `swiglu silu`: all that these were once.
///
/// `all` stands for every name that a column can have, those of later versions of SPEC.md too.
///
/// `if` names CPU features (as [Platform#cpuFeatures] does) that must all be there; `where` names
/// conditions on the spec's sizes: `SIZE%N` (a multiple of), `SIZE<=N`, `SIZE>=N`. What no line
/// covers must be declined; a spec that several lines cover needs one of them to hold.
///
/// @param source where it was read from
/// @param lines the declarations
/// @param problem why there are none; empty if there are
/// @since 0.1
/// @stability api
public record Support(String source, List<Line> lines, String problem) implements Declaration {
  private static final String ALL = "all";

  /// What may stand behind the names of a line.
  private static final List<String> CLAUSES = List.of("if", "where");

  /// One line.
  ///
  /// @param operator the operator
  /// @param columns the names after it, column by column
  /// @param features CPU features that must be there
  /// @param conditions on sizes
  public record Line(
      String operator,
      List<List<String>> columns,
      List<String> features,
      List<Condition> conditions) {

    boolean covers(Query query, Platform platform) {
      if (!operator.equals(query.operator())
          || !platform.cpuFeatures().containsAll(features)
          || !conditions.stream().allMatch(c -> c.holds(query.sizes().get(c.size)))) {
        return false;
      }
      for (int i = 0; i < columns.size(); i++) {
        if (!columns.get(i).contains(query.names().get(i))) {
          return false;
        }
      }
      return true;
    }
  }

  /// A condition on a size: `outputs%4`.
  public record Condition(String size, String comparison, long number) {
    boolean holds(long value) {
      return switch (comparison) {
        case "%" -> value % number == 0;
        case "<=" -> value <= number;
        default -> value >= number;
      };
    }
  }

  public Support {
    lines = List.copyOf(lines);
  }

  /// The declaration in a provider's JAR. One that is missing or can't be read has a
  /// [Support#problem], which every rule about it reports.
  public static Support of(KernelProvider provider) {
    String path = "META-INF/quern/" + provider.name() + ".support";
    try (InputStream in = provider.getClass().getModule().getResourceAsStream(path)) {
      if (in == null) {
        return new Support(
            path,
            List.of(),
            String.format(Locale.ROOT, "%s is missing: add it to the provider's resources", path));
      }
      return parse(path, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException | IllegalArgumentException e) {
      return new Support(path, List.of(), e.getMessage());
    }
  }

  /// Reads a declaration.
  ///
  /// @throws IllegalArgumentException if a line can't be read, with its number and what was
  ///   expected
  public static Support parse(String source, String text) {
    List<Line> lines = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      String content = line.replaceFirst("#.*", "").strip();
      if (!content.isEmpty()) {
        try {
          lines.add(line(content.split("\\s+")));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              String.format(Locale.ROOT, "%s:%d: %s", source, number, e.getMessage()), e);
        }
      }
    }
    return new Support(source, lines, "");
  }

  @Override
  public boolean declares(Query query, Platform platform) {
    return lines.stream().anyMatch(l -> l.covers(query, platform));
  }

  private static Line line(String[] words) {
    String operator = words[0];
    OperatorSuite<?> suite =
        SuiteCatalog.find(operator)
            .orElseThrow(
                () -> unknown("operator", operator, SuiteCatalog.names().sorted().toList()));
    List<List<String>> columns = new ArrayList<>();
    int next = 1;
    List<String> implied = suite.impliedNames();
    for (List<String> known : suite.declaredNames()) {
      boolean absent = next == words.length || CLAUSES.contains(words[next]);
      String meant = columns.size() < implied.size() ? implied.get(columns.size()) : "";
      columns.add(names(absent ? meant : words[next++], known));
    }
    Map<String, List<String>> clauses = new LinkedHashMap<>();
    for (; next < words.length; next += 2) {
      if (!CLAUSES.contains(words[next])
          || next + 1 == words.length
          || clauses.put(words[next], List.of(words[next + 1].split(","))) != null) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "'%s', expected at most one 'if FEATURE,...' and one 'where SIZE%%N,...'",
                words[next]));
      }
    }
    return new Line(
        operator,
        columns,
        clauses.getOrDefault("if", List.of()),
        clauses.getOrDefault("where", List.of()).stream()
            .map(c -> condition(suite.declaredSizes(), c))
            .toList());
  }

  private static List<String> names(String word, List<String> known) {
    List<String> names = word.equals(ALL) ? known : List.of(word.split(","));
    for (String name : names) {
      if (!known.contains(name)) {
        throw unknown("name", name, known);
      }
    }
    return names;
  }

  private static Condition condition(List<String> sizes, String text) {
    for (String comparison : new String[] {"%", "<=", ">="}) {
      int at = text.indexOf(comparison);
      if (at > 0 && text.substring(at + comparison.length()).matches("[1-9]\\d{0,17}")) {
        String size = text.substring(0, at);
        if (!sizes.contains(size)) {
          throw unknown("size", size, sizes);
        }
        return new Condition(
            size, comparison, Long.parseLong(text.substring(at + comparison.length())));
      }
    }
    throw new IllegalArgumentException(
        String.format(Locale.ROOT, "condition '%s', expected SIZE%%N, SIZE<=N or SIZE>=N", text));
  }

  private static IllegalArgumentException unknown(String what, String found, List<String> known) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "unknown %s '%s', expected %s",
            what,
            found,
            known.size() == 1 ? known.getFirst() : "one of " + known));
  }
}
