package dev.quern.conformance.support;

import dev.quern.Operator;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What a provider's author says that it runs, in a resource of its JAR:
/// `META-INF/quern/NAME.support`. One statement a line, `#` begins a comment:
///
/// ```
/// # OPERATOR [WORD[,WORD...]]... [partly] [if CONDITION...]
/// linear F32,BF16 exact-f32
/// linear Q4_0 exact-f32,int8-sym-32
/// linear INT4_B32 int8-asym-row partly if aarch64 i8mm
/// attention F32,F16
/// rmsnorm
/// rope adjacent,half-split
/// swiglu
/// ```
///
/// The words are those of the suite's subjects, such as `Q4_0 int8-sym-32`; alternatives are
/// separated by commas, `*` is any word, and words left out at the end are any. `partly`: some
/// shapes are declined. A condition is a CPU feature, an architecture or an operating system as
/// [Platform] names them, `!` before it denies it, and all must hold.
///
/// @param source where the declaration came from, for messages
/// @param statements the lines that state something
public record Support(String source, List<Statement> statements) {

  /// How much of a subject is declared.
  public enum Level {
    NONE,
    /// Some shapes.
    PARTLY,
    ALL
  }

  /// One line.
  ///
  /// @param line its number in the file, from 1
  /// @param operator the operator's name
  /// @param words alternatives for each word of a subject, in lower case
  /// @param partly whether some shapes are declined
  /// @param conditions all must hold
  public record Statement(
      int line,
      String operator,
      List<List<String>> words,
      boolean partly,
      List<String> conditions) {

    /// Whether it speaks of a subject.
    public boolean covers(String operator, String subject) {
      String[] label = subject.toLowerCase(Locale.ROOT).split(" ");
      if (!this.operator.equals(operator) || words.size() > label.length) {
        return false;
      }
      for (int i = 0; i < words.size(); i++) {
        if (!words.get(i).contains(label[i]) && !words.get(i).contains("*")) {
          return false;
        }
      }
      return true;
    }

    /// Whether its conditions hold.
    public boolean holds(Platform platform) {
      Set<String> facts = new HashSet<>(platform.cpuFeatures());
      facts.add(platform.os());
      facts.add(platform.arch());
      return conditions.stream()
          .allMatch(c -> c.startsWith("!") ? !facts.contains(c.substring(1)) : facts.contains(c));
    }
  }

  public Support {
    statements = List.copyOf(statements);
  }

  /// The name of a provider's resource.
  public static String resource(String provider) {
    return "META-INF/quern/" + provider + ".support";
  }

  /// The declaration in a provider's JAR; empty if it has none.
  ///
  /// @throws IllegalArgumentException if a line can't be read
  public static Optional<Support> of(KernelProvider provider) {
    String resource = resource(provider.name());
    // Class, and not ClassLoader: in a named module it looks into that module's JAR alone.
    try (InputStream in = provider.getClass().getResourceAsStream("/" + resource)) {
      return in == null
          ? Optional.empty()
          : Optional.of(parse(resource, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new IllegalArgumentException(resource + " can't be read: " + e, e);
    }
  }

  /// Reads a declaration.
  ///
  /// @param source where it is from, for messages
  /// @throws IllegalArgumentException if a line can't be read
  public static Support parse(String source, String text) {
    List<Statement> statements = new ArrayList<>();
    String[] lines = text.split("\\R", -1);
    for (int i = 0; i < lines.length; i++) {
      String line = lines[i].split("#", 2)[0].strip();
      if (!line.isEmpty()) {
        try {
          statements.add(statement(i + 1, List.of(line.split("\\s+"))));
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "%s, line %d: '%s': %s".formatted(source, i + 1, line, e.getMessage()), e);
        }
      }
    }
    return new Support(source, statements);
  }

  private static Statement statement(int line, List<String> tokens) {
    int condition = tokens.indexOf("if");
    List<String> what = condition < 0 ? tokens : tokens.subList(0, condition);
    List<String> conditions =
        condition < 0 ? List.of() : tokens.subList(condition + 1, tokens.size());
    boolean partly = what.size() > 1 && what.getLast().equals("partly");
    List<String> words = what.subList(Math.min(1, what.size()), what.size() - (partly ? 1 : 0));
    List<String> operators = Arrays.stream(Operator.values()).map(Operator::id).toList();
    if (what.isEmpty() || !operators.contains(what.getFirst())) {
      throw new IllegalArgumentException("expected an operator first, one of " + operators);
    }
    if (condition >= 0 && conditions.isEmpty()) {
      throw new IllegalArgumentException("expected a CPU feature after 'if', such as i8mm");
    }
    if (conditions.stream().anyMatch(c -> !c.matches("!?[a-z0-9_.-]+"))) {
      throw new IllegalArgumentException(
          "conditions=%s, expected names such as i8mm or !sve, separated by blanks"
              .formatted(conditions));
    }
    if (words.contains("partly")) {
      throw new IllegalArgumentException("expected 'partly' after all other words, before 'if'");
    }
    return new Statement(
        line,
        what.getFirst(),
        words.stream().map(Support::alternatives).toList(),
        partly,
        conditions);
  }

  private static List<String> alternatives(String word) {
    List<String> all = Arrays.asList(word.toLowerCase(Locale.ROOT).split(",", -1));
    if (all.contains("")) {
      throw new IllegalArgumentException("'" + word + "', expected a word on each side of a comma");
    }
    return List.copyOf(all);
  }

  /// How much of a subject is declared on a platform: the most that any statement says.
  public Level level(Platform platform, String operator, String subject) {
    return statements.stream()
        .filter(s -> s.covers(operator, subject) && s.holds(platform))
        .map(s -> s.partly() ? Level.PARTLY : Level.ALL)
        .reduce(Level.NONE, (a, b) -> a.compareTo(b) >= 0 ? a : b);
  }
}
